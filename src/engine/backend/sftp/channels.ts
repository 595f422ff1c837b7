import type { SftpClient, SshConnection } from '#remote'

interface Channel {
  readonly sftp: SftpClient
  users: number
}

/** The SFTP sessions of one login: each is begun when all that are there have something to do, up to a limit. */
export class Channels {
  readonly #connection: SshConnection
  readonly #channels: Channel[]
  #limit: number
  #beginning = 0

  constructor(connection: SshConnection, limit: number) {
    this.#connection = connection
    this.#channels = [{ sftp: connection.sftp, users: 0 }]
    this.#limit = limit
  }

  /** Works on the session with the least to do. */
  async use<T>(work: (sftp: SftpClient) => Promise<T>): Promise<T> {
    const channel = this.take()
    try {
      return await work((await channel).sftp)
    } finally {
      ;(await channel).users--
    }
  }

  /** The same for what is not one call; the taker counts `users` down. */
  async take(): Promise<Channel> {
    const idle = this.#channels.find(({ users }) => users === 0)
    const channel = idle ?? (await this.#begin()) ?? this.#leastUsed()
    channel.users++
    return channel
  }

  /** Undefined when there are as many as may be. */
  async #begin(): Promise<Channel | undefined> {
    if (this.#channels.length + this.#beginning >= this.#limit) return undefined
    this.#beginning++
    try {
      const channel = { sftp: await this.#connection.openSftp(), users: 0 }
      this.#channels.push(channel)
      return channel
    } catch {
      // because those that are there do as well, and say themselves when the connection is gone
      this.#limit = this.#channels.length
      return undefined
    } finally {
      this.#beginning--
    }
  }

  #leastUsed(): Channel {
    return this.#channels.reduce((least, channel) => (channel.users < least.users ? channel : least))
  }
}
