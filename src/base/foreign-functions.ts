import type * as ForeignFunctions from 'node:ffi'

export type ForeignDefinitions = ForeignFunctions.FunctionDefinitions

export type ForeignLibrary<T extends ForeignDefinitions> = ForeignFunctions.WrappedFunctionsFromDefinitions<T> & {
  /** Where a buffer lies, for a call that takes numbers: it must not be collected before the call is done. */
  addressOf(bytes: Uint8Array): bigint
  /** The text that a C pointer leads to. */
  textAt(pointer: bigint): string
  int32At(pointer: bigint): number
}

/**
 * Functions with fewer arguments are given zeros behind them, which they do not look at: in the calling conventions of x64
 * and arm64 that changes nothing. Node 26 lets V8 compile calls of up to six arguments to calls of the function itself, and
 * frees what V8 reads for that when a thread ends, while it may still be at it: one in thirty restores of small
 * files ended with SIGSEGV. Seven go through memory that both sides see, and numbers among them in less time.
 */
const leastArguments = 7

/**
 * Functions of a C library through Node's foreign function interface; the only file that opens one.
 *
 * @param path - of the library; null for what Node itself is linked with.
 * @returns undefined where the interface, the library or one of the functions is missing.
 */
export function openForeign<const T extends ForeignDefinitions>(
  path: string | null,
  definitions: T,
): ForeignLibrary<T> | undefined {
  if (process.arch !== 'x64' && process.arch !== 'arm64') return undefined
  const ffi = process.getBuiltinModule('node:ffi') as typeof ForeignFunctions | undefined
  if (!ffi) return undefined
  try {
    const { lib, functions } = ffi.dlopen(path, padded(definitions))
    const own = Object.entries(definitions).map(([name, { arguments: given }]) => {
      return [name, withZeros(functions[name]!, leastArguments - given!.length)] as const
    })
    return Object.assign(Object.create(null) as object, Object.fromEntries(own), {
      addressOf: (bytes: Uint8Array) => ffi.getRawPointer(bytes),
      textAt: (pointer: bigint) => ffi.toString(pointer) ?? '',
      int32At: (pointer: bigint) => ffi.getInt32(pointer),
      lib, // because its functions end with it
    }) as unknown as ForeignLibrary<T>
  } catch {
    return undefined // because a library that has only some of them is as good as none
  }
}

function padded(definitions: ForeignDefinitions): ForeignDefinitions {
  const rows = Object.entries(definitions).map(([name, definition]) => {
    const given = definition.arguments ?? []
    const zeros = Array.from({ length: Math.max(0, leastArguments - given.length) }, () => 'u64' as const)
    return [name, { ...definition, arguments: [...given, ...zeros] }] as const
  })
  return Object.fromEntries(rows)
}

type Foreign = (...given: readonly unknown[]) => unknown

function withZeros(call: unknown, count: number): unknown {
  if (count <= 0) return call
  const zeros = Array.from({ length: count }, () => 0n)
  return (...given: readonly unknown[]) => (call as Foreign)(...given, ...zeros)
}
