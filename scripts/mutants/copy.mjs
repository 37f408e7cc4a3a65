// The copy of the working tree in which mistakes are made: .cache/mutants/tree. The tree itself is
// never written to. The copy stays, with what was built in it, so that the next run builds little.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from './run.mjs'

export class Copy {
  constructor(root) {
    this.root = root
    this.path = join(root, '.cache', 'mutants', 'tree')
    this.manifest = join(root, '.cache', 'mutants', 'files.json')
    this.stamp = join(root, '.cache', 'mutants', 'native-is-built')
  }

  /**
   * Make the copy what the tree is: files that differ are copied, files that are gone are removed.
   */
  sync() {
    const listed = execFileSync('git', ['ls-files', '-coz', '--exclude-standard'], {
      cwd: this.root,
      maxBuffer: 2 ** 26,
    })
    const files = [...new Set(listed.toString().split('\0'))].filter(
      (file) => file && existsSync(join(this.root, file)),
    )
    const before = existsSync(this.manifest) ? JSON.parse(readFileSync(this.manifest, 'utf8')) : []
    mkdirSync(this.path, { recursive: true })
    for (const file of files) this.#copy(file)
    const kept = new Set(files)
    for (const file of before.filter((name) => !kept.has(name))) {
      rmSync(join(this.path, file), { force: true })
      this.#changed(file)
    }
    writeFileSync(this.manifest, JSON.stringify(files))
    if (!existsSync(join(this.path, 'node_modules'))) {
      symlinkSync(join(this.root, 'node_modules'), join(this.path, 'node_modules'))
    }
  }

  #copy(file) {
    const [from, to] = [join(this.root, file), join(this.path, file)]
    if (existsSync(to) && readFileSync(from).equals(readFileSync(to))) return
    mkdirSync(dirname(to), { recursive: true })
    cpSync(from, to)
    this.#changed(file)
  }

  #changed(file) {
    if (/^(native|binding\.gyp|test\/c\/plugins|examples|package)/.test(file)) rmSync(this.stamp, { force: true })
  }

  read(file) {
    return readFileSync(join(this.path, file), 'utf8')
  }

  write(file, text) {
    writeFileSync(join(this.path, file), text)
    this.#changed(file)
  }

  npm(script) {
    return build('npm', ['run', script, '--silent'], { cwd: this.path })
  }

  /** WebAssembly, addon and plugins, unless they are as they should be. */
  async buildNative() {
    if (existsSync(this.stamp)) return
    for (const script of ['build:wasm', 'build:addon', 'build:plugins']) await this.npm(script)
    writeFileSync(this.stamp, '')
  }

  async buildLibrary() {
    await this.npm('build:lib')
  }

  async buildTests() {
    await this.npm('build:tests')
  }
}
