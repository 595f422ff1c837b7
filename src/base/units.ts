const steps = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const

/** A size for people, in powers of 1000: `1.5 GB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let step = 0
  while (value >= 999.5 && step < steps.length - 1) {
    value /= 1000
    step++
  }
  return `${step === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${steps[step]}`
}

/** A whole number for people, with its thousands apart: `12,345`. */
export function formatCount(count: number): string {
  // Without `Intl.NumberFormat`, of which the first one takes longer to make than many a command.
  const digits = String(count)
  return digits.length < 4 ? digits : digits.replaceAll(/\B(?=(?:\d{3})+$)/g, ',')
}

/** A duration for people: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`
}

const factors: Record<string, number> = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, pb: 1e15 }

/** Reads a size as people write it (`5 TB`, `300MB`, `12`), in powers of 1000; undefined when it is not one. */
export function parseBytes(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([kmgtp]?b)?\s*$/i.exec(text)
  return match ? Math.round(Number(match[1]) * factors[(match[2] ?? 'b').toLowerCase()]!) : undefined
}
