// The part of platform-apis.mjs that needs a dedicated worker.
addEventListener('message', async ({ data }) => {
  if (data.clone !== undefined) return postMessage(new Uint8Array(data.clone))
  await import('/platform-apis.mjs')
  postMessage(await globalThis.probeInWorker())
})
