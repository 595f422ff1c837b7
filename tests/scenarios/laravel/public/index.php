<?php

require __DIR__.'/../vendor/autoload.php';

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
try {
    if (is_file(BASE.'/storage/framework/down')) {
        http_response_code(503);
        echo 'in maintenance';
    } elseif ($path === '/health') {
        ask('select 1 from customers where id = 1');
        http_response_code(is_writable(BASE.'/storage/framework') ? 200 : 500);
        echo 'well';
    } elseif (preg_match('#^/invoices/(\d+)$#', $path, $found)) {
        readfile(BASE.'/storage/app/'.ask("select pdf from invoices where id = $found[1]"));
    } else {
        echo ask('select count(*), sum(amount), max(issued) from invoices');
    }
} catch (RuntimeException $thrown) {
    http_response_code(500);
    error_log($thrown->getMessage());
}
