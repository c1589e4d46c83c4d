# Sourced by run and test: puts a Python that is new enough into $python, or says what to install and leaves.
python=
for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
  if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  echo "需要 Python 3.11 或更新的版本, 请先安装 (Debian: apt-get install python3 python3-venv) / Python 3.11 or later is needed: install it first (Debian: apt-get install python3 python3-venv; macOS: brew install python)" >&2
  exit 1
fi
