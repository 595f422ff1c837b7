/** Under this share of its room a vault is full. */
const fullBelow = 0.1
/** Over this share it is full no longer. Between the two it stays what it was. */
const roomyAbove = 0.12

/**
 * Whether a vault is full after these measurements, so that one that swings about the limit is not called full every day.
 *
 * @param freeShares - of its room, 0 to 1, oldest first.
 */
export function isFull(freeShares: readonly number[]): boolean {
  return freeShares.reduce((full, share) => (full ? share <= roomyAbove : share < fullBelow), false)
}
