// Fields of objects in shared memory, in one thread of JavaScript: what reading and writing one
// costs, and what the same costs with what it is measured by.
import { createRequire } from 'node:module'
import { defineObject, MemoryHeap, SharedStructArray } from 'sabway'

const ROOM = 8 << 20
/** How many objects the loops go over, of arrays a power of two. */
const OBJECTS = 1024

/** Does its work so many times. */
type Work = (count: number) => void

const Unit = defineObject({ hp: 'i32', mana: 'i32', weight: 'f64', speed: 'f64' })

/** What each piece of work ends with, so that the compiler leaves none of it out. */
function keep(sum: number): void {
  if (sum === 0.5) throw new Error('it cannot be that')
}

/** A field is written, and another one read. */
export function field(): Work {
  const unit = new Unit(new MemoryHeap({ size: ROOM }))
  return (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) {
      unit.hp = i & 0xffff
      sum += unit.mana
    }
    keep(sum)
  }
}

/** The same of an element of a typed array, on the same memory. */
export function element(): Work {
  const words = new MemoryHeap({ size: ROOM }).allocI32(4).data
  return (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) {
      words[1] = i & 0xffff
      sum += words[2]!
    }
    keep(sum)
  }
}

export function floatField(): Work {
  const unit = new Unit(new MemoryHeap({ size: ROOM }))
  return (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) {
      unit.weight = i + 0.5
      sum += unit.speed
    }
    keep(sum)
  }
}

export function floatElement(): Work {
  const words = new MemoryHeap({ size: ROOM }).allocF64(4).data
  return (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) {
      words[1] = i + 0.5
      sum += words[2]!
    }
    keep(sum)
  }
}

/** Of one object after the other in an array of them. */
export function column(): Work {
  const { hp } = new SharedStructArray(new MemoryHeap({ size: ROOM }), Unit, { length: OBJECTS }).columns
  return (count) => {
    for (let i = 0; i < count; i++) hp[i % OBJECTS]! += 1
  }
}

export function rows(): Work {
  const array = new SharedStructArray(new MemoryHeap({ size: ROOM }), Unit, { length: OBJECTS, layout: 'rows' })
  const row = array.at(0)
  return (count) => {
    for (let i = 0; i < count; i++) {
      row.index = i % OBJECTS
      row.hp += 1
    }
  }
}

export function elements(): Work {
  const words = new MemoryHeap({ size: ROOM }).allocI32(OBJECTS).data
  return (count) => {
    for (let i = 0; i < count; i++) words[i % OBJECTS]! += 1
  }
}

/** Two fields are changed under the lock. */
export function change(): Work {
  const unit = new Unit(new MemoryHeap({ size: ROOM }))
  return (count) => {
    for (let i = 0; i < count; i++) {
      unit.lock((fields) => {
        fields.hp = i & 0xffff
        fields.mana = i & 0xffff
      })
    }
  }
}

export function snapshots(): Work {
  const unit = new Unit(new MemoryHeap({ size: ROOM }))
  return (count) => {
    for (let i = 0; i < count; i++) keep(unit.snapshot().hp)
  }
}

interface ObjectBuffer {
  createObjectBuffer<T>(options: object, bytes: number, initial: T): T
}

/** A field of an object of @bnaya/objectbuffer is written, and another one read. */
export function otherField(): Work {
  const { createObjectBuffer } = createRequire(import.meta.url)('@bnaya/objectbuffer') as ObjectBuffer
  const unit = createObjectBuffer({ textEncoder: new TextEncoder(), textDecoder: new TextDecoder() }, ROOM, {
    hp: 1,
    mana: 2,
    x: 3,
    weight: 4,
  })
  return (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) {
      unit.hp = i & 0xffff
      sum += unit.mana
    }
    keep(sum)
  }
}
