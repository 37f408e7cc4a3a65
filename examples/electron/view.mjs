const VERTEX = `#version 300 es
out vec2 at;
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  at = vec2(corner.x, 1.0 - corner.y);
  gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}`

const FRAGMENT = `#version 300 es
precision mediump float;
uniform sampler2D frame;
in vec2 at;
out vec4 color;
void main() {
  color = texture(frame, at);
}`

/** Shows RGBA frames on a canvas. */
export class FrameView {
  #gl
  #width = 0
  #height = 0

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    const gl = canvas.getContext('webgl2', { antialias: false, preserveDrawingBuffer: true })
    if (gl === null) throw new Error('this page needs WebGL 2')
    this.#gl = gl
    const program = gl.createProgram()
    for (const [type, source] of /** @type {const} */ ([
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, FRAGMENT],
    ])) {
      const shader = /** @type {WebGLShader} */ (gl.createShader(type))
      gl.shaderSource(shader, source)
      gl.compileShader(shader)
      gl.attachShader(program, shader)
    }
    gl.linkProgram(program)
    gl.useProgram(program)
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture())
  }

  /**
   * @param {Uint8Array} pixels may lie in shared memory: WebGL reads from there
   * @param {number} width
   * @param {number} height
   */
  show(pixels, width, height) {
    const gl = this.#gl
    if (width !== this.#width || height !== this.#height) this.#resize(width, height)
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, pixels)
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4)
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  #resize(width, height) {
    const gl = this.#gl
    this.#width = gl.canvas.width = width
    this.#height = gl.canvas.height = height
    gl.viewport(0, 0, width, height)
    gl.deleteTexture(gl.getParameter(gl.TEXTURE_BINDING_2D))
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture())
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, width, height)
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR)
  }
}
