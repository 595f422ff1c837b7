import { battery } from './battery.ts'
import { placeInMemory } from './place.ts'
import { trees } from './trees.ts'

battery(trees.contents, placeInMemory())
