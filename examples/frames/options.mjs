// The command line. What is wrong with it is said in words, with exit code 2; main.mjs never sees
// it.
import { Command, InvalidArgumentError } from 'commander'
import { FRAME_SIDE_MAX, frameBytes } from './layout.mjs'

const RING_MAX = 512 * 2 ** 20
/** In front of each message in a ring, and the alignment behind it. */
const FRAME_EXTRA = 16

function seconds(text) {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || value > 3600) {
    throw new InvalidArgumentError('It takes a whole number of seconds from 1 to 3600, such as --seconds 10.')
  }
  return value
}

function rate(text) {
  const value = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || (value !== 0 && value < 0.1) || value > 100_000) {
    throw new InvalidArgumentError(
      'It takes frames per second from 0.1 to 100000, such as --rate 59.94, or 0 for as many as are taken.',
    )
  }
  return value
}

function size(text) {
  const [, width, height] = /^(\d{1,6})x(\d{1,6})$/i.exec(text)?.map(Number) ?? []
  if (!(width >= 1 && height >= 1)) {
    throw new InvalidArgumentError('It takes width and height in pixels with an x between, such as --size 3840x2160.')
  }
  if (width > FRAME_SIDE_MAX || height > FRAME_SIDE_MAX) {
    throw new InvalidArgumentError(`A side has at most ${FRAME_SIDE_MAX} pixels.`)
  }
  if (2 * (frameBytes(width, height) + FRAME_EXTRA) > RING_MAX) {
    const mib = Math.ceil(frameBytes(width, height) / 2 ** 20)
    throw new InvalidArgumentError(
      `Such a frame has ${mib} MiB, and the largest ring (512 MiB) has to hold two: take less than 256 MiB, ` +
        'such as --size 7680x4320.',
    )
  }
  return { width, height }
}

/**
 * Room for four frames (one being rendered, one being read, and slack); rounded up to a power of
 * two, up to seven.
 */
export function ringBytes({ width, height }) {
  const wanted = Math.max(2 ** 16, 4 * (frameBytes(width, height) + FRAME_EXTRA))
  return Math.min(2 ** Math.ceil(Math.log2(wanted)), RING_MAX)
}

/** How many frames the ring holds: the queues of what Sabway is compared with get as many. */
export function framesInRing(frame) {
  return Math.min(Math.floor(ringBytes(frame) / (frameBytes(frame.width, frame.height) + FRAME_EXTRA)), 64)
}

export function parseOptions(argv) {
  const program = new Command('npm start --')
    .description(
      'Renders test frames on a native thread (the plugin frames.c) straight into shared memory, takes each one in ' +
        'place in JavaScript, checks its number and its CRC-32C, and steers the plugin while it runs. Then the same ' +
        "frames go through a threadsafe function that copies, and through a worker's postMessage.",
    )
    .option(
      '-s, --seconds <n>',
      'how long the main run takes; each comparison takes half as long, at most 5 s',
      seconds,
      5,
    )
    .option('--size <WxH>', 'size of a frame in pixels (4 bytes each)', size, { width: 1920, height: 1080 })
    .option('-r, --rate <n>', 'frames per second; 0: as many as are taken', rate, 0)
    .option('--json', 'print JSON, one object per line, and nothing else')
    .option('--no-compare', 'leave the comparisons out')
    .addHelpText(
      'after',
      '\nExit code: 0; 1 when a frame was lost or wrong or a command not acknowledged; 2 for a wrong option.\n' +
        'Ctrl-C ends the run early, with the table so far.',
    )
    .allowExcessArguments(false)
    .showHelpAfterError('(--help says more)')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  program.options.find(({ long }) => long === '--size').defaultValueDescription = '1920x1080'
  return program.parse(argv).opts()
}
