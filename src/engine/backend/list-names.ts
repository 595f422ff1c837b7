import type { Backend, FileType } from './backend.ts'

/** The names of all files of `type`: what a place can tell without looking at each file. @throws as {@link Backend.list}. */
export async function listNames(backend: Backend, type: FileType, signal?: AbortSignal): Promise<Set<string>> {
  if (backend.names) return new Set(await backend.names(type, signal))
  const names = new Set<string>()
  for await (const { name } of backend.list(type, signal)) names.add(name)
  return names
}
