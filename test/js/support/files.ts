import { openSync } from 'node:fs'

/** Open as many files as this process may. */
export function useUpFiles(): void {
  try {
    for (;;) openSync('/dev/null', 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EMFILE') throw error
  }
}
