"""Redis or Valkey beside SQL: an accelerator that may forget. Importing this loads the client library; who does not
configure Redis never does.

store       a `Store` around the SQL one: what goes where
engine      the session engine: rotations decided in Redis, saved to SQL behind
throttle    counters per network
fan_out     "somebody committed", told to every node
fleet       which server answers for a key: one server, Sentinel or Cluster
line        one connection, and whatever gathers as one pipeline
scripts     the Lua texts; records: what they keep
"""
