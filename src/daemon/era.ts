import type { Configuration } from '#model'
import type { Services } from '#usecases'

/** One reading of the configuration with what was opened for it; it stays open until what uses it has ended. */
export class Era {
  readonly configuration: Configuration
  readonly services: Services
  readonly #opened: AsyncDisposable
  #users = 0
  #isOver = false

  constructor(configuration: Configuration, opened: AsyncDisposable & { readonly services: Services }) {
    this.configuration = configuration
    this.services = opened.services
    this.#opened = opened
  }

  enter(): void {
    this.#users++
  }

  async leave(): Promise<void> {
    this.#users--
    await this.#closeWhenUnused()
  }

  /** Nothing may enter it after this. */
  async end(): Promise<void> {
    this.#isOver = true
    await this.#closeWhenUnused()
  }

  async #closeWhenUnused(): Promise<void> {
    if (this.#isOver && this.#users === 0) await this.#opened[Symbol.asyncDispose]()
  }
}
