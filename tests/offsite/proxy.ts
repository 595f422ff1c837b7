import { connect, createServer, type Server, type Socket } from 'node:net'

/** `up` goes to the server, `down` comes from it. */
export type Direction = 'up' | 'down'

/**
 * What goes wrong with a connection:
 *
 * - `cut`: it ends in order, as by a firewall that is polite;
 * - `reset`: it ends with RST, bytes under way are lost;
 * - `stall`: it stays open, and nothing gets through any more;
 * - `half-open`: the server has gone, and the client is not told;
 * - `slow`: one byte gets through every `slowMs`;
 * - `refuse`: it is reset, and so is each of the next `refusals` connections as it begins.
 */
export type ProxyAction = 'cut' | 'reset' | 'stall' | 'half-open' | 'slow' | 'refuse'

export interface Strike {
  readonly action: ProxyAction
  readonly direction: Direction
  /** After so many bytes of that direction, counted from when it was armed; these still get through. */
  readonly at: number
  /** Default: 1. */
  readonly refusals?: number
}

/** Bytes that may be under way in one direction, so that a long way carries as much as a short one. */
const mostUnderWay = 64 * 1024 * 1024
const slowMs = 100

/** Stands between a client and a server on loopback, passes their bytes on, and fails on purpose. */
export class FaultProxy implements AsyncDisposable {
  /** What each direction takes longer. */
  delayMs = 0
  /** Connections that began, refused ones among them. */
  connections = 0
  /** Connections that are refused from now on. */
  refusals = 0
  readonly #server: Server
  readonly #target: number
  readonly #sockets = new Set<Socket>()
  #strike: Strike | undefined
  #left = 0

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client))
  }

  /** @param target - a port of this machine. */
  static async start(target: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(target)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    return address.port
  }

  /** Whether what was armed has struck. */
  get hasStruck(): boolean {
    return this.#strike === undefined
  }

  /** Strikes once. */
  arm(strike: Strike): void {
    this.#strike = strike
    this.#left = strike.at
  }

  /** What is armed does not strike, and nobody is refused. */
  heal(): void {
    this.#strike = undefined
    this.refusals = 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #accept(client: Socket): void {
    this.connections++
    if (this.refusals > 0) {
      this.refusals--
      client.resetAndDestroy()
      return
    }
    const server = connect({ port: this.#target, host: '127.0.0.1', noDelay: true })
    const link = new Link(client, server)
    this.#keep(client, server)
    this.#pass('up', client, server, link)
    this.#pass('down', server, client, link)
  }

  #keep(...sockets: readonly Socket[]): void {
    for (const socket of sockets) {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => socket.destroy())
    }
  }

  #pass(direction: Direction, from: Socket, to: Socket, link: Link): void {
    let underWay = 0
    const later = (work: () => void): void => void (this.delayMs > 0 ? setTimeout(work, this.delayMs) : work())
    from.on('data', (bytes: Buffer) => {
      if (link.isStalled) return
      const passed = this.#beforeStrike(direction, bytes)
      underWay += passed.length
      if (underWay > mostUnderWay) from.pause()
      later(() => {
        link.write(to, passed, () => {
          underWay -= passed.length
          if (underWay <= mostUnderWay) from.resume()
        })
        if (passed.length < bytes.length || this.#isDue(direction)) this.#hit(link, to, bytes.subarray(passed.length))
      })
    })
    from.on('end', () => later(() => void (link.isStalled || to.end())))
    from.on('close', () => later(() => void (link.isStalled && direction === 'down' ? undefined : to.destroy())))
  }

  #beforeStrike(direction: Direction, bytes: Buffer): Buffer {
    if (this.#strike?.direction !== direction) return bytes
    const passed = bytes.subarray(0, this.#left)
    this.#left -= passed.length
    return passed
  }

  #isDue(direction: Direction): boolean {
    return this.#strike?.direction === direction && this.#left === 0
  }

  #hit(link: Link, to: Socket, rest: Buffer): void {
    const strike = this.#strike
    if (!strike) return
    this.#strike = undefined
    switch (strike.action) {
      case 'cut':
        return link.cut()
      case 'refuse':
        this.refusals = strike.refusals ?? 1
        return link.reset()
      case 'reset':
        return link.reset()
      case 'stall':
        link.isStalled = true
        return
      case 'half-open':
        link.isStalled = true
        link.server.destroy()
        return
      case 'slow':
        link.isSlow = true
        return link.write(to, rest, () => {})
      default:
        strike.action satisfies never
    }
  }
}

/** The two halves of one connection. */
class Link {
  readonly client: Socket
  readonly server: Socket
  isStalled = false
  isSlow = false

  constructor(client: Socket, server: Socket) {
    this.client = client
    this.server = server
  }

  write(to: Socket, bytes: Buffer, done: () => void): void {
    if (this.isStalled || bytes.length === 0 || to.destroyed) return done()
    if (!this.isSlow) return void to.write(bytes, done)
    to.write(bytes.subarray(0, 1))
    setTimeout(() => this.write(to, bytes.subarray(1), done), slowMs)
  }

  cut(): void {
    this.client.destroySoon()
    this.server.destroySoon()
  }

  reset(): void {
    this.client.resetAndDestroy()
    this.server.resetAndDestroy()
  }
}
