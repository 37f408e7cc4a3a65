// How error texts show a value: short, and without failing, whatever the value is.
import { isError, lengthOf, typedArrayName } from './brand.js'

const MOST = 48

/** The first 48 characters of a text, and whether there are more. */
export const shortened = (text: string): string => (text.length <= MOST ? text : `${text.slice(0, MOST)}...`)

/**
 * What a value is, in at most 60 characters. Never throws: what a getter or a proxy throws is said
 * in place of the value.
 */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length <= MOST ? `'${value}'` : `a string of ${value.length} characters`
    case 'function':
      return 'a function'
    case 'bigint':
      // Writing out a bigint of a million digits takes seconds.
      return BigInt.asIntN(64, value) === value ? `${value}n` : 'a bigint of more than 64 bits'
    case 'object':
      return value === null ? 'null' : shownObject(value)
    default:
      return shortened(String(value))
  }
}

function shownObject(value: object): string {
  try {
    const name = typedArrayName(value)
    if (name !== undefined) return `a ${name} of ${lengthOf(value as Uint8Array)}`
    if (Array.isArray(value)) return `an array of ${value.length}`
    return `an object (${shortened(Object.prototype.toString.call(value).slice(8, -1))})`
  } catch {
    return 'an object that throws'
  }
}

const MOST_OF_A_REASON = 100

/** What was thrown, in at most 100 characters: an error's own words, or what else it is. */
export function reason(thrown: unknown): string {
  if (!isError(thrown)) return shown(thrown)
  try {
    const text = `${thrown.message}`
    return text.length <= MOST_OF_A_REASON ? text : `${text.slice(0, MOST_OF_A_REASON - 3)}...`
  } catch {
    return 'an error that throws'
  }
}
