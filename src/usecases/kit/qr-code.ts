import { encodeQR } from 'qr'

/** A text as a QR code: an SVG that a camera reads from paper, also when some of it is stained. */
export function qrCode(text: string): string {
  return encodeQR(text, 'svg', { ecc: 'medium', border: 4 })
}
