"""What an agent can do: each tool is data (a name, a schema, a function), and a toolbox performs calls."""
