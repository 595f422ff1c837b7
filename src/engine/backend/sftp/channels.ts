import type { SftpClient, SshConnection } from '#remote'

interface Channel {
  readonly sftp: Promise<SftpClient>
  /** Operations that it is busy with. */
  users: number
}

/** The SFTP sessions of one login: each is begun when all that are there have something to do, up to a limit. */
export class Channels {
  readonly #connection: SshConnection
  readonly #channels: Channel[]
  #limit: number

  constructor(connection: SshConnection, limit: number) {
    this.#connection = connection
    this.#channels = [{ sftp: Promise.resolve(connection.sftp), users: 0 }]
    this.#limit = limit
  }

  /** Works on the session with the least to do. */
  async use<T>(work: (sftp: SftpClient) => Promise<T>): Promise<T> {
    using taken = await this.take()
    return await work(taken.sftp)
  }

  /** The same for what is not one call. */
  async take(): Promise<Disposable & { readonly sftp: SftpClient }> {
    for (;;) {
      const channel = this.#least()
      channel.users++
      try {
        const sftp = await channel.sftp
        return { sftp, [Symbol.dispose]: () => void channel.users-- }
      } catch {
        // because those that are there do as well, and say themselves when the connection is gone
        this.#channels.splice(0, this.#channels.length, ...this.#channels.filter((other) => other !== channel))
        this.#limit = this.#channels.length
      }
    }
  }

  #least(): Channel {
    const least = this.#channels.reduce((best, channel) => (channel.users < best.users ? channel : best))
    if (least.users === 0 || this.#channels.length >= this.#limit) return least
    const channel = { sftp: this.#connection.openSftp(), users: 0 }
    this.#channels.push(channel)
    return channel
  }
}
