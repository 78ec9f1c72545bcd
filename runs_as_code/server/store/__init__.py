"""Tables, connections, ids and seed data; knows nothing of HTTP and of the rules of runs."""
