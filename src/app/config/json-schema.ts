import { z } from 'zod'

import { MainFile } from './schema.ts'

/** The JSON Schema (draft 2020-12) of a main file, for editors. */
export function configurationSchema(): Record<string, unknown> {
  return z.toJSONSchema(MainFile, { io: 'input', unrepresentable: 'any' })
}
