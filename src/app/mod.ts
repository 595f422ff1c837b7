/**
 * The only place that builds everything: it finds the configuration, makes the services and starts the command line.
 * It must never hold anything but wiring.
 */
export { composeServices } from './compose.ts'
export { loadConfiguration } from './config/load.ts'
export { configurationSchema } from './config/json-schema.ts'
export { configError } from './config/errors.ts'
