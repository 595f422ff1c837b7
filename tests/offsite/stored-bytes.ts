import { statSync } from 'node:fs'
import { join } from 'node:path'

import { filesBelow } from './rest-server.ts'

/** Of all files below a folder. */
export function bytesBelow(folder: string): number {
  return filesBelow(folder).reduce((sum, path) => sum + statSync(join(folder, path)).size, 0)
}
