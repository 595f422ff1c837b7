import type { Flavour } from './option-file.ts'

/** What is known of a server, as the account and the database at hand see it. */
export interface ServerFacts {
  readonly flavour: Flavour
  /** As the server says it. */
  readonly version: string
  /** The account as the server knows it: `bewaar@localhost`. */
  readonly account: string
  readonly maxAllowedPacketBytes: number
  /** What the database was made with, for the CREATE DATABASE of a restore. */
  readonly charset: string
  readonly collation: string
}
