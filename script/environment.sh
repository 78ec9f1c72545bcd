# Sourced by the scripts beside it: what somebody's shell says of a server, a key or a path must
# not reach a demo or a test.
for name in $(env | sed -n 's/^\(QAS_[A-Za-z0-9_]*\)=.*/\1/p;s/^\(QARUN_[A-Za-z0-9_]*\)=.*/\1/p'); do
  unset "$name"
done
unset name PYTHONHOME PYTHONPATH
