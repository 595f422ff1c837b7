import { battery } from './battery.ts'
import { trees } from './trees.ts'

battery(trees.shapes)
