<?php

// What the framework would give: the settings, cached or of `.env`, and a way to the database by the program of its server,
// because PHP may lack the driver.

const BASE = __DIR__.'/..';

function settings(): array
{
    static $settings = null;
    $cache = BASE.'/bootstrap/cache/config.php';

    return $settings ??= is_file($cache) ? require $cache : parse_ini_file(BASE.'/.env', false, INI_SCANNER_RAW);
}

function ask(string $sql): string
{
    ['DB_HOST' => $host, 'DB_PORT' => $port, 'DB_DATABASE' => $database, 'DB_USERNAME' => $user] = settings();
    [$command, $password] = match (settings()['DB_CONNECTION']) {
        'pgsql' => [['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', $host, '-p', $port, '-U', $user, '-d', $database], 'PGPASSWORD'],
        'mariadb' => [['mariadb', '--no-defaults', '--default-character-set=utf8mb4', '-NB', '-h', $host, '-P', $port, '-u', $user, $database], 'MYSQL_PWD'],
    };
    $environment = [$password => settings()['DB_PASSWORD']] + getenv();
    $program = proc_open($command, [['pipe', 'r'], ['pipe', 'w'], ['pipe', 'w']], $pipes, null, $environment);
    fwrite($pipes[0], $sql);
    fclose($pipes[0]);
    [$answer, $trouble] = [stream_get_contents($pipes[1]), stream_get_contents($pipes[2])];
    if (proc_close($program) !== 0) {
        throw new RuntimeException($trouble);
    }

    return rtrim($answer, "\n");
}
