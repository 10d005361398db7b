"""What people see: pages made on the server."""
