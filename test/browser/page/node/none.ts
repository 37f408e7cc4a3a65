// Modules of Node that shared tests import for what only itNative tests do.
const none = (): never => {
  throw new Error('not in a browser')
}

export const spawn = none
export const fileURLToPath = none
