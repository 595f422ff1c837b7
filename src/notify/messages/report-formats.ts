import { formatSeconds } from '#base'

/** How numbers and moments are written, in a language and a time zone. */
export interface ReportFormats {
  /** `1.2 GB`. */
  bytes(bytes: number): string
  /** `+1.2 GB`, `-3 MB`, `0 B`. */
  signedBytes(bytes: number): string
  number(number: number): string
  /** @param share - 0 to 1; what is not all of it never reads as all of it. */
  share(share: number): string
  money(amount: number, currency: string): string
  /** `21 Nov 03:00`; with the year when that is another one than now. */
  moment(time: number): string
  /** `21 Nov`; with the year when that is another one than now. */
  day(time: number): string
  /** `0.4 s`, `3 min 05 s`, `2 h 10 min`. */
  seconds(seconds: number): string
}

/** Where the word for an hour begins with another letter. */
const hours: Readonly<Record<string, string>> = { 'nl-NL': 'u' }
const steps = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const

/** @param now - milliseconds since 1970, UTC. */
export function reportFormats(locale: string, timezone: string, now: number): ReportFormats {
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 })
  const tenths = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 })
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1, roundingMode: 'floor' })
  const timeZone = timezone
  const date = { day: 'numeric', month: 'short' } as const
  const year = new Intl.DateTimeFormat(locale, { year: 'numeric', timeZone })
  const inYear = (options: Intl.DateTimeFormatOptions): ((moment: number) => string) => {
    const usual = new Intl.DateTimeFormat(locale, { ...options, timeZone })
    const other = new Intl.DateTimeFormat(locale, { ...options, year: 'numeric', timeZone })
    return (moment) => (year.format(moment) === year.format(now) ? usual : other).format(moment).replace(', ', ' ')
  }

  const bytes = (value: number): string => {
    let [left, step] = [value, 0]
    for (; left >= 999.5 && step < steps.length - 1; step++) left /= 1000
    return `${(step === 0 || left >= 99.95 ? whole : tenths).format(left)} ${steps[step]}`
  }
  return {
    bytes,
    signedBytes: (value) => `${value > 0 ? '+' : value < 0 ? '-' : ''}${bytes(Math.abs(value))}`,
    number: (number) => whole.format(number),
    // because a third of a per cent too little in a sum of thirtieths shall not be shown
    share: (share) => percent.format(Math.round(share * 1e6) / 1e6),
    money: (amount, currency) => new Intl.NumberFormat(locale, { style: 'currency', currency }).format(amount),
    moment: inYear({ ...date, hour: '2-digit', minute: '2-digit' }),
    day: inYear(date),
    seconds: (value) =>
      value < 9.95 ? `${tenths.format(value)} s` : formatSeconds(value).replace(' h ', ` ${hours[locale] ?? 'h'} `),
  }
}
