import { randomHex } from '#base'

/** What a run that begins at a moment is called: `20261122t030000z-3f09ac`. @param time - milliseconds since 1970. */
export function newRunId(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replace(/[-:]/g, '')}z-${randomHex(3)}`.toLowerCase()
}
