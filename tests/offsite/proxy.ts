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
 * - `slow`: one byte gets through every `slowMs`, each way;
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

/** What has passed in one direction: the bytes, and how many there were whenever a piece of them ended. */
export interface Traffic {
  readonly bytes: number
  readonly marks: readonly number[]
}

/** Bytes that may be under way in one direction, so that a long way carries as much as a short one. */
const mostUnderWay = 64 * 1024 * 1024

/** Stands between a client and a server on loopback, passes their bytes on, and fails on purpose. */
export class FaultProxy implements AsyncDisposable {
  /** What each direction takes longer. */
  delayMs = 0
  /** What each byte takes on a connection that has become slow. */
  slowMs = 100
  /** Whether the server of a connection that has stalled is told when the client gives it up. */
  tellsServer = true
  /** Connections that began, refused ones among them. */
  connections = 0
  /** Connections that are refused from now on. */
  refusals = 0
  readonly #server: Server
  readonly #target: number
  readonly #sockets = new Set<Socket>()
  #strike: Strike | undefined
  #left = 0
  #recorded: Record<Direction, { bytes: number; readonly marks: number[] }> | undefined

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client))
  }

  /** @param target - a port of this machine. @param port - where it listens; default: one that is free. */
  static async start(target: number, port = 0): Promise<FaultProxy> {
    const proxy = new FaultProxy(target)
    await new Promise<void>((resolve) => proxy.#server.listen(port, '127.0.0.1', resolve))
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

  /** Writes down what passes from now on, until it is called again. @returns what has passed so far, at any time. */
  record(): Record<Direction, Traffic> {
    return (this.#recorded = { up: { bytes: 0, marks: [] }, down: { bytes: 0, marks: [] } })
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
    const link = new Link(client, server, this.slowMs)
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
      this.#count(direction, bytes.length)
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
    from.on('close', () => later(() => void (this.#isTold(direction, link) && to.destroy())))
  }

  /** Whether the other side learns that this one has gone. */
  #isTold(direction: Direction, link: Link): boolean {
    return !link.isStalled || (direction === 'up' && this.tellsServer)
  }

  #count(direction: Direction, bytes: number): void {
    const traffic = this.#recorded?.[direction]
    if (!traffic) return
    traffic.bytes += bytes
    traffic.marks.push(traffic.bytes)
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

interface Waiting {
  bytes: Buffer
  readonly done: () => void
}

/** The two halves of one connection. */
class Link {
  readonly client: Socket
  readonly server: Socket
  isStalled = false
  isSlow = false
  readonly #slowMs: number
  /** What still drips, by where it goes: in the order in which it came. */
  readonly #waiting = new Map<Socket, Waiting[]>()

  constructor(client: Socket, server: Socket, slowMs: number) {
    this.client = client
    this.server = server
    this.#slowMs = slowMs
  }

  write(to: Socket, bytes: Buffer, done: () => void): void {
    if (this.isStalled || bytes.length === 0 || to.destroyed) return done()
    if (!this.isSlow) return void to.write(bytes, done)
    const waiting = this.#waiting.get(to) ?? []
    this.#waiting.set(to, waiting)
    waiting.push({ bytes, done })
    if (waiting.length === 1) this.#drip(to, waiting)
  }

  cut(): void {
    this.client.destroySoon()
    this.server.destroySoon()
  }

  reset(): void {
    this.client.resetAndDestroy()
    this.server.resetAndDestroy()
  }

  #drip(to: Socket, waiting: Waiting[]): void {
    const first = waiting[0]
    if (!first) return
    if (to.destroyed || to.writableEnded) {
      for (const { done } of waiting.splice(0)) done()
      return
    }
    to.write(first.bytes.subarray(0, 1))
    first.bytes = first.bytes.subarray(1)
    if (first.bytes.length === 0) waiting.shift()!.done()
    setTimeout(() => this.#drip(to, waiting), this.#slowMs)
  }
}
