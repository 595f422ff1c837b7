import { existsSync } from 'node:fs'

import { battery } from './battery.ts'
import { trees } from './trees.ts'

const memory = '/dev/shm'
if (existsSync(memory)) battery(trees.inMemory, memory)
