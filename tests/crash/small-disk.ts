import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

/** A file system in memory that only programs see which are started `under` it; it goes with its keeper. */
export class SmallDisk implements Disposable {
  readonly #keeper: ChildProcess
  readonly #folder: string

  private constructor(keeper: ChildProcess, folder: string) {
    this.#keeper = keeper
    this.#folder = folder
  }

  /** Mounted on `folder`, which is made. */
  static async mount(folder: string, megabytes: number): Promise<SmallDisk> {
    mkdirSync(folder, { recursive: true })
    const steps = `mount -t tmpfs -o size=${megabytes}m tmpfs "$0" && echo mounted && exec sleep 36000`
    const keeper = spawn('unshare', ['--mount', 'sh', '-c', steps, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(keeper.stdout, 'data')
    return new SmallDisk(keeper, folder)
  }

  /** What a program is started with to see it. */
  get under(): string[] {
    return ['nsenter', `--mount=/proc/${this.#keeper.pid}/ns/mnt`, '--']
  }

  /** The path by which this process sees a file of it. */
  inside(...path: readonly string[]): string {
    return join(`/proc/${this.#keeper.pid}/root`, this.#folder, ...path)
  }

  run(program: string, ...args: readonly string[]): string {
    const [enter, ...rest] = [...this.under, program, ...args]
    const { status, stdout, stderr } = spawnSync(enter!, rest, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
    return stdout
  }

  resize(megabytes: number): void {
    this.run('mount', '-o', `remount,size=${megabytes}m`, this.#folder)
  }

  /** Writes a file that leaves so many bytes free, or none. */
  fill(path: string, left = 0): void {
    const free = Number(this.run('df', '--output=avail', '-B1', this.#folder).split('\n')[1])
    this.run('sh', '-c', 'head -c "$0" /dev/zero > "$1" || true', String(Math.max(0, free - left)), path)
  }

  [Symbol.dispose](): void {
    this.#keeper.kill('SIGKILL')
  }
}
