// What is a place for an object, and what are its options.
import * as check from '../base/check.js'
import { RawHeap } from '../heap/raw-heap.js'

/** Is it a heap, or what has one? */
export const isHome = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (RawHeap.isHeap(value) || check.fields(value, 'home', ['heap']).heap !== undefined)
