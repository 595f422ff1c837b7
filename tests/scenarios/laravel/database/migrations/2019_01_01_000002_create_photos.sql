create table photos (id int primary key, customer int, file varchar(100) not null);
