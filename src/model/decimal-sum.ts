const decimal = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/
/** More decimals than any column of money has; a sum of numbers with more of them is rounded as a computer's are. */
const mostDecimals = 60
/** Digits that a number of JavaScript holds exactly, with room for adding thousands of them. */
const quickDigits = 12

/** Adds numbers as they are written, without rounding: `0.10` and `0.20` are `0.30`. */
export class DecimalSum {
  #total = 0n
  #decimals = 0
  /** What is not in the total yet, for values with as many decimals as the total. */
  #quick = 0
  #rounded: number | undefined

  /** @returns false, and adds nothing, when `text` is not a number. */
  add(text: string): boolean {
    const match = decimal.exec(text)
    if (!match) return false
    const [, sign, whole = '', fraction = '', exponent = '0'] = match
    if (whole === '' && fraction === '') return false
    const decimals = fraction.length - Number(exponent)
    if (decimals > mostDecimals || decimals < -mostDecimals) {
      this.#rounded = (this.#rounded ?? 0) + Number(text)
      return true
    }
    const digits = whole + fraction
    if (decimals === this.#decimals && digits.length <= quickDigits) {
      this.#quick += sign === '-' ? -Number(digits) : Number(digits)
      if (Math.abs(this.#quick) > 2 ** 52) this.#settle()
      return true
    }
    this.#settle()
    const value = BigInt(digits) * (sign === '-' ? -1n : 1n) * 10n ** BigInt(Math.max(0, -decimals))
    const scale = Math.max(0, decimals)
    const wider = Math.max(scale, this.#decimals)
    this.#total = this.#total * 10n ** BigInt(wider - this.#decimals) + value * 10n ** BigInt(wider - scale)
    this.#decimals = wider
    return true
  }

  /** In plain digits, with the most decimals that any of the values had. */
  toString(): string {
    this.#settle()
    if (this.#rounded !== undefined) return String(this.#rounded + Number(this.#total) / 10 ** this.#decimals)
    const negative = this.#total < 0n
    const digits = String(negative ? -this.#total : this.#total).padStart(this.#decimals + 1, '0')
    const whole = digits.slice(0, digits.length - this.#decimals)
    const fraction = digits.slice(digits.length - this.#decimals)
    return `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
  }

  #settle(): void {
    this.#total += BigInt(this.#quick)
    this.#quick = 0
  }
}
