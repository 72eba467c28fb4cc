-- The monitoring agent, by its unix user: it reads figures, and no row of the application.
CREATE USER IF NOT EXISTS 'dd-agent'@'localhost' IDENTIFIED WITH auth_socket;
ALTER USER 'dd-agent'@'localhost' WITH MAX_USER_CONNECTIONS 5;
GRANT PROCESS, REPLICATION CLIENT ON *.* TO 'dd-agent'@'localhost';
GRANT SELECT ON performance_schema.* TO 'dd-agent'@'localhost';
