// The page: two buttons, a level meter, and how many blocks were dropped.
import { startPlayer, startSynth } from './player.mjs'

const element = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id))
const [play, replace, meter, blocks, late] = ['play', 'replace', 'level', 'blocks', 'late'].map(element)

play.onclick = async () => {
  play.disabled = true
  const context = new AudioContext()
  const synth = await startSynth(context.sampleRate)
  let player = await startPlayer(context, synth)

  const show = () => {
    const level = synth.level()
    if (level !== null) {
      meter.value = level.peak
      blocks.textContent = level.blocks
      late.textContent = level.late
    }
    requestAnimationFrame(show)
  }
  show()

  replace.disabled = false
  replace.onclick = async () => {
    replace.disabled = true
    await player.end()
    player = await startPlayer(context, synth)
    replace.disabled = false
  }
}
