/**
 * What Laravel and its tools make again, in its storage folder. The folders themselves and their `.gitignore` stay,
 * because an application does not start without them.
 */
export const madeAgainInStorage = [
  '/framework/cache/data/[!.]*',
  '/framework/cache/*.php',
  '/framework/sessions/[!.]*',
  '/framework/views/[!.]*',
  '/framework/testing/[!.]*',
  '/framework/schedule-*',
  '/logs/[!.]*',
  '/debugbar/',
  '/clockwork/',
  '/pail/',
] as const

/** The two files of `php artisan down`: what is restored shall not be in maintenance because its backup was. */
const maintenance = ['/framework/down', '/framework/maintenance.php'] as const

export const leftOutOfStorage = [...madeAgainInStorage, ...maintenance] as const

/**
 * The same for a whole application. `public/build` stays in, because what was deployed cannot always be built again;
 * `vendor` is made again from `composer.lock`.
 */
export const leftOutOfLaravel = [
  '/vendor/',
  'node_modules/',
  '/bootstrap/cache/[!.]*',
  ...leftOutOfStorage.map((pattern) => `/storage${pattern}`),
  '/public/hot',
  '/.phpunit.cache/',
  '/.phpunit.result.cache',
  '/.php-cs-fixer.cache',
  'npm-debug.log*',
  'yarn-error.log*',
] as const
