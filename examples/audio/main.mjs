// Serves the example: npm run example:audio, or node examples/audio/main.mjs [port].
import { serve } from '../serve.mjs'

const { origin } = await serve({}, ['.'], { port: Number(process.argv[2] ?? 8080) })
console.log(`${origin}/examples/audio/index.html`)
