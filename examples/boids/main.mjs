// Serves the demo: npm run demo:boids, or node examples/boids/main.mjs [port].
import { serve } from '../serve.mjs'

const { origin } = await serve({}, ['.'], { port: Number(process.argv[2] ?? 8080) })
console.log(`${origin}/examples/boids/index.html`)
