/**
 * Writes the WebAssembly text of the chunker's inner loop, which scripts/generate-chunker.ts assembles.
 *
 * It looks for the places where a file may be cut: those where the low bits (20 of them, or fewer, down to 13) of the
 * Rabin fingerprint of the last 64 bytes are zero. Each byte of a file costs one step, where a sum is an exclusive or (polynomials over GF(2)):
 *
 *     H = H·x⁸ + entering byte + leaving byte·x⁵¹²   mod P
 *
 * - **Lanes.** As a fingerprint depends on 64 bytes only, a block is split into 16 stretches of equal length, one for
 *   each byte lane of a v128, and all stretches are scanned at once, each warmed up with the 64 bytes before it.
 *   Lane 0 has the first stretch, so the earliest place is that of the lowest lane, and in a lane that of the lowest step.
 * - **Planes.** The 53 bits of H lie in seven v128: plane 0 holds bits 0–4 of all 16 lanes, plane k bits 8k−3 to 8k+4,
 *   and plane 6 exactly the eight bits, 45 to 52, that ·x⁸ pushes out. Bit i lies at place i mod 8 of its byte,
 *   so ·x⁸ merely renames planes, and the entering byte is added with two masks and no shift.
 * - **Tables.** What is pushed out comes back as its remainder, and the leaving byte has one too. Remainders are linear,
 *   so a byte is looked up as two nibbles, each in a table of 16 bytes for each plane: one swizzle each.
 *   Below 16 the relaxed swizzle gives the same on every machine, and it spares a range check: half of the time.
 * - **Groups.** 16 bytes of each lane are loaded and transposed at a time. The rows go into a ring of five groups: the
 *   one that enters the window, and the four (64 bytes) before it, of which the oldest leaves.
 * - **Marks.** The low 20 bits are stored at each step, and only 13 of them are watched; when those were zero somewhere
 *   in a group (one group in 32), all bits of its steps are looked at.
 *
 * Masks are loaded from memory because V8 takes an eighth longer when they are constants.
 */
export function rabinWat(): string {
  return `(module
  (memory (export "memory") 1)
  ;; Where the caller puts the tables: for the byte pushed out, then for the one that leaves, plane by plane the
  ;; low nibble's and the high nibble's.
  (global (export "tables") i32 (i32.const 0))
  ;; Where the caller puts, for each lane, the bits of plane 2 that have to be zero.
  (global (export "cutBits") i32 (i32.const ${masks.cutBits.at}))
  (global (export "buffer") i32 (i32.const ${buffer}))
${Object.values(masks)
  .map(({ at, byte }) => `  (data (i32.const ${at}) "${`\\${byte.toString(16).padStart(2, '0')}`.repeat(row)}")`)
  .join('\n')}

  ;; Scans the bytes [first, first + 16·stride). The stride is a multiple of 16; the 64 bytes before first are read too.
  ;; Gives the offset from first of the earliest byte that ends a window with as many low zeros, or -1.
  (func (export "scan") (param $first i32) (param $stride i32) (result i32)
    (local $from i32) (local $step i32) (local $fresh i32) (local $stale i32) (local $row i32)
    (local $hits i32) (local $found i32) (local $best i32)
    (local $in v128) (local $out v128) (local $zeros v128)
    ;; The nibbles of the byte pushed out and of the one that leaves.
    (local $pushedLow v128) (local $pushedHigh v128) (local $outLow v128) (local $outHigh v128)
    ${numbered(planes, (plane) => `(local $p${plane} v128)`).join(' ')}
    ${numbered(row, (lane) => `(local $a${lane} v128)`).join(' ')}
    ${numbered(row, (lane) => `(local $b${lane} v128)`).join(' ')}

    (memory.fill (i32.const ${ring}) (i32.const 0) (i32.const ${ringEnd - ring}))
    (local.set $fresh (i32.const ${ring}))
    (local.set $step (i32.const -64))
    (local.set $best (i32.const -1))
    (loop $groups
      (local.set $from (i32.add (local.get $first) (local.get $step)))
      ${transpose().join('\n      ')}

      (local.set $stale (i32.add (local.get $fresh) (i32.const ${group})))
      (if (i32.eq (local.get $stale) (i32.const ${ringEnd})) (then (local.set $stale (i32.const ${ring}))))
      (local.set $zeros (v128.const i64x2 -1 -1))
      (local.set $row (i32.const 0))
      (loop $rows
        (local.set $in (v128.load (i32.add (local.get $fresh) (local.get $row))))
        (local.set $out (v128.load (i32.add (local.get $stale) (local.get $row))))
        ${slide().join('\n        ')}
        (v128.store offset=${marks} (local.get $row) (v128.or (local.get $p0) (local.get $p1)))
        (v128.store offset=${marks + group} (local.get $row) (local.get $p2))
        (local.set $zeros (i8x16.min_u (local.get $zeros) (v128.or (local.get $p0) (local.get $p1))))
        (local.set $row (i32.add (local.get $row) (i32.const ${row})))
        (br_if $rows (i32.lt_u (local.get $row) (i32.const ${group}))))

      ;; During the warm-up the window is not full, and its zeros mean nothing.
      (if (i32.and (i32.ge_s (local.get $step) (i32.const 0)) (i32.eqz (i8x16.all_true (local.get $zeros))))
        (then
          (local.set $row (i32.const 0))
          (loop $marks
            (local.set $hits (i8x16.bitmask (i8x16.eq (v128.const i64x2 0 0) (v128.or
              (v128.load offset=${marks} (local.get $row))
              (v128.and (v128.load offset=${marks + group} (local.get $row)) ${load(masks.cutBits.at)})))))
            (if (local.get $hits)
              (then
                (local.set $found (i32.add
                  (i32.mul (i32.ctz (local.get $hits)) (local.get $stride))
                  (i32.add (local.get $step) (i32.div_u (local.get $row) (i32.const ${row})))))
                (if (i32.lt_u (local.get $found) (local.get $best)) (then (local.set $best (local.get $found))))))
            (local.set $row (i32.add (local.get $row) (i32.const ${row})))
            (br_if $marks (i32.lt_u (local.get $row) (i32.const ${group}))))
          ;; No later step comes before a hit of lane 0.
          (if (i32.lt_u (local.get $best) (local.get $stride)) (then (return (local.get $best))))))

      (local.set $fresh (local.get $stale))
      (local.set $step (i32.add (local.get $step) (i32.const ${row})))
      (br_if $groups (i32.lt_s (local.get $step) (local.get $stride))))
    (local.get $best)))
`
}

/** Bytes of a v128, which are as many as there are lanes; so a group is square. */
const row = 16
const group = row * row
const planes = 7
const nibblesOfByte = 2

const ring = 2 * planes * nibblesOfByte * row
const ringEnd = ring + 5 * group
const marks = ringEnd
const masksAt = marks + 2 * group
const masks = {
  nibble: { at: masksAt, byte: 0x0f },
  plane0: { at: masksAt + row, byte: 0x1f },
  plane1: { at: masksAt + 2 * row, byte: 0xe0 },
  /** Plane 2 holds bits 13 to 20; bit 20, at place 4, does not count. For fewer than 20 zeros the caller changes it. */
  cutBits: { at: masksAt + 3 * row, byte: 0xef },
}
/** On a page of its own, as the kernel writes into it. */
const buffer = 4096

/** Makes 16 rows, one for each step, of 16 bytes of each lane: four perfect shuffles of the 16 vectors. */
function transpose(): string[] {
  const loads = numbered(row, (lane) => [
    `(local.set $a${lane} (v128.load (local.get $from)))`,
    '(local.set $from (i32.add (local.get $from) (local.get $stride)))',
  ])
  const shuffles = ['ab', 'ba', 'ab', 'ba'].map(([source, target]) =>
    numbered(row / 2, (index) => {
      const pair = `(local.get $${source}${index}) (local.get $${source}${index + row / 2})`
      return [
        `(local.set $${target}${2 * index} (i8x16.shuffle ${byTurns(0)} ${pair}))`,
        `(local.set $${target}${2 * index + 1} (i8x16.shuffle ${byTurns(row / 2)} ${pair}))`,
      ]
    }).flat(),
  )
  const stores = numbered(row, (step) => `(v128.store offset=${step * row} (local.get $fresh) (local.get $a${step}))`)
  return [...loads.flat(), ...shuffles.flat(), ...stores]
}

/** Lets one byte of every lane enter the window and one leave it. */
function slide(): string[] {
  const shifted = (plane: number): string => `(local.get $p${plane - 1})`
  return [
    ...split('$p6', '$pushedLow', '$pushedHigh'),
    ...split('$out', '$outLow', '$outHigh'),
    ...[6, 5, 4, 3, 2].map((plane) => `(local.set $p${plane} ${xor(shifted(plane), ...remainders(plane))})`),
    `(local.set $p1 ${xor(shifted(1), entering(masks.plane1.at), ...remainders(1))})`,
    `(local.set $p0 ${xor(entering(masks.plane0.at), ...remainders(0))})`,
  ]
}

function split(byte: string, low: string, high: string): string[] {
  const mask = load(masks.nibble.at)
  return [
    `(local.set ${low} (v128.and (local.get ${byte}) ${mask}))`,
    `(local.set ${high} (v128.and (i16x8.shr_u (local.get ${byte}) (i32.const 4)) ${mask}))`,
  ]
}

function entering(mask: number): string {
  return `(v128.and (local.get $in) ${load(mask)})`
}

/** What the byte pushed out and the byte that leaves add to a plane. */
function remainders(plane: number): string[] {
  return ['$pushedLow', '$pushedHigh', '$outLow', '$outHigh'].map((nibble, index) => {
    const isLeaving = index >> 1
    const table = ((isLeaving * planes + plane) * nibblesOfByte + (index & 1)) * row
    return `(i8x16.relaxed_swizzle ${load(table)} (local.get ${nibble}))`
  })
}

function load(address: number): string {
  return `(v128.load offset=${address} (i32.const 0))`
}

function xor(...terms: readonly string[]): string {
  return terms.reduce((sum, term) => `(v128.xor ${sum} ${term})`)
}

/** The bytes of two vectors by turns, eight of each, from byte `start` on. */
function byTurns(start: number): string {
  return numbered(row / 2, (index) => `${start + index} ${start + index + row}`).join(' ')
}

function numbered<Item>(count: number, make: (index: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => make(index))
}
