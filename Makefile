# Names for the two scripts that do the work, and for what a maintainer needs now and then.
.PHONY: run test test-faults test-simulation test-scale test-growth test-devices-independent wheel lock clean

run:
	./run

test:
	./test

# The long forms of the fault tests: 1,000 kills, 200 power cuts, 300 damages, full disks, failed syncs, clocks, cables.
test-faults:
	./test -m faults tests

# Halls under faults, 2,000 seeds on all processors, within a minute; `make test` plays some of them.
test-simulation:
	SIMULATION_SEEDS=2000 ./test tests/simulation -s

# A ledger of ten million events (SCALE_EVENTS=N for others): needs 15 GB under /tmp, or wherever TMPDIR says.
test-scale:
	SCALE_EVENTS=$${SCALE_EVENTS:-10000000} ./test tests/ledger/test_scale.py -s --timeout 7200

# A board through 20,000 calls: some days of a large hall.
test-growth:
	BOARD_CALLS=20000 ./test tests/browser/test_board_growth.py -s --timeout 7200

# What devices say and print, judged by programs that nobody here wrote; downloads 700 MB the first time, shows the rates.
test-devices-independent:
	scripts/devices-independent

# Pages and wheel into dist/.
wheel:
	scripts/wheel

# Lock files again from pyproject.toml.
lock:
	scripts/lock

# Everything that ./run and ./test made, except the hall's data in var/.
clean:
	rm -rf .venv .venv-independent node_modules dist */pages .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
