create table customers (id int primary key, name varchar(100) not null, email varchar(100) unique, note text);
create table invoices (
    id int primary key,
    customer int not null,
    amount decimal(10, 2) not null,
    issued date not null,
    pdf varchar(100),
    constraint of_customer foreign key (customer) references customers (id)
);
create index invoices_by_day on invoices (issued);
create table jobs (id bigint primary key, payload varchar(200) not null, available_at bigint not null);
