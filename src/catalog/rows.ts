/** A list or map as it lies in a column. */
export function toJson(value: unknown): string {
  return JSON.stringify(value)
}

/** The reverse. What is not JSON came from another hand; it reads as `fallback`. */
export function fromJson<T>(text: string, fallback: T): T {
  try {
    return JSON.parse(text) as T
  } catch {
    return fallback // because one bad cell must not hide all the others
  }
}

/** The columns that are not null, so that an absent value is an absent key. */
export function present<T extends object>(columns: T): { [Key in keyof T]?: Exclude<T[Key], null | undefined> } {
  const kept: Partial<T> = {}
  for (const column in columns) {
    if (columns[column] !== null && columns[column] !== undefined) kept[column] = columns[column]
  }
  return kept as { [Key in keyof T]?: Exclude<T[Key], null | undefined> }
}
