"""How many faults of formulas the unit tests find: mutants of the formula modules, drawn with a seed, and those killed.

mutmut makes the mutants. One run of the unit tests says which of them reach a line; on a mutant these run, quickest
first, in a copy of the tree, and then those of the same files, which may share what one of them computes. A mutant that
runs out of time is killed. `--only` takes some by their numbers, `--tests` some tests, and `--tree` a folder for the
copy, which keeps what reaches what.
"""

import argparse
import difflib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from functools import partial
from pathlib import Path

from .clock import Measured

ROOT = Path(__file__).parents[2]
FORMULAS = "*/models/**/*.py */metrics.py */metrics/*.py stats/*.py holdout/*.py likelihood.py orders.py estimate.py"
APART = ["browser", "cli", "contracts", "frozen", "notebooks", "parity", "reports"]  # whose tests are of no formula
APART += [f"test_{name}.py" for name in ("docstrings", "layers", "new_domain", "setup", "surface", "words")]
SIGNATURES = "tests/test_signatures.py"  # reads defaults, and reaches no line
QUICKEST, LONGEST = 40, 10  # tests that a mutant meets first; seconds of a test, beyond which it is left out
PYTEST = ["-q", "-p", "no:cacheprovider", "-m", "not slow and not browser and not spark"]
COVERAGE = ["-p", "pytest_cov", "--cov=crmlab", "--cov-context=test", "--cov-report=", "--junitxml=times.xml"]
COVERAGE += [f"--ignore=tests/{name}" for name in APART]
ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
SERVER = """
import json, os, resource, signal, sys
import duckdb, hypothesis, ibis, mpmath, pandas, pytest, scipy.stats, seaborn, sklearn.cluster, statsmodels.api
sys.dont_write_bytecode = True
for line in sys.stdin:
    seconds, *arguments = json.loads(line)
    if not (child := os.fork()):
        os.dup2(os.open("tests.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        resource.setrlimit(resource.RLIMIT_DATA, (8 << 30, 8 << 30))
        signal.alarm(seconds)
        os._exit(pytest.main(arguments))
    print(os.waitpid(child, 0)[1], flush=True)
"""  # what takes long to import, once; each run in a process of its own, which an alarm or 8 GiB end


def mutants(path):
    """What makes each mutant of a module: its code, and the lines of the change and of the function about it.

    They are mutmut's, of decorated functions too, but of no text, and of nothing raised.
    """
    try:
        import libcst as cst
        from mutmut.mutation import file_mutation, mutators, pragma_handling
    except ImportError as missing:
        raise SystemExit(f"{missing}; run `pip install mutmut pytest-cov`, which the lock leaves out") from None
    texts = (cst.SimpleString, cst.FormattedString, cst.ConcatenatedString)

    class Formulas(file_mutation.MutationVisitor):
        def _skip_node_and_children(self, node):
            if isinstance(node, cst.FunctionDef):
                return False
            return isinstance(node, (cst.Raise, *texts)) or super()._skip_node_and_children(node)

    def arguments(call):
        kept = [given for given in call.args if isinstance(given.value, texts)]
        return (new for new in mutators.operator_arg_removal(call) if all(given in new.args for given in kept))

    def mutant(m):
        code = file_mutation.deep_replace(wrapper.module, m.original_node, m.mutated_node).code
        return path, code, where.get(m.original_node), where[m.contained_by_top_level_function]

    ours = {mutators.operator_arg_removal: arguments}
    operators = [(kind, ours.get(operator, operator)) for kind, operator in mutators.mutation_operators]
    visitor = Formulas(operators, pragma_handling.IgnoredCode(set(), set(), set()))
    wrapper = cst.MetadataWrapper(cst.parse_module((ROOT / path).read_text("utf-8")))
    wrapper.visit(visitor)
    where = wrapper.resolve(cst.metadata.PositionProvider)
    inside = (m for m in visitor.mutations if isinstance(m.contained_by_top_level_function, cst.FunctionDef))
    return [partial(mutant, m) for m in inside]


def drawn(draw, seed):
    """Mutants of every module in proportion to how many it has, and at least one."""
    paths = sorted({str(path.relative_to(ROOT)) for glob in FORMULAS.split() for path in (ROOT / "crmlab").glob(glob)})
    found = {path: made for path in paths if (made := mutants(path))}
    of_one = draw / sum(map(len, found.values()))
    count = {path: max(1, int(of_one * len(made))) for path, made in found.items()}
    for path in sorted(found, key=lambda p: count[p] - of_one * len(found[p]))[: max(0, draw - sum(count.values()))]:
        count[path] += 1
    return [make() for p, made in found.items() for make in random.Random(f"{seed} {p}").sample(made, count[p])]


def reached(tree, tests, environment):
    """Seconds of each test that passes; and of each line of a file, the tests that reach it."""
    from coverage import CoverageData

    run = [sys.executable, "-m", "pytest", *PYTEST, *COVERAGE, *tests]
    subprocess.run(run, cwd=tree, env=environment, stdout=subprocess.DEVNULL)
    passed = [case for case in ElementTree.parse(tree / "times.xml").iter("testcase") if not len(case)]
    seconds = {f"{c.get('classname').replace('.', '/')}.py::{c.get('name')}": float(c.get("time")) for c in passed}
    seconds = {test: taken for test, taken in seconds.items() if taken <= LONGEST}
    data, reach = CoverageData(tree / ".coverage"), defaultdict(dict)
    data.read()
    for file in data.measured_files():
        for line, contexts in data.contexts_by_lineno(file).items():
            those = seconds.keys() & {context.rpartition("|")[0] for context in contexts}
            reach[str(Path(file).relative_to(tree))][str(line)] = sorted(those)
    return seconds, reach


def measure(draw=400, seed=15, only=(), tests=("tests",), tree=None):
    """The share killed; what became of each mutant is printed, with the diffs of survivors."""
    made = drawn(draw, seed)
    tree = Path(tree or tempfile.mkdtemp()).resolve()
    for part in ("crmlab", "tests", "data", "notebooks"):
        shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("raw"), dirs_exist_ok=True)
    shutil.copy2(ROOT / "pyproject.toml", tree)
    environment = os.environ | {"PYTHONPATH": str(tree)} | ALONE
    if not (kept := tree / "reached.json").exists():
        kept.write_text(json.dumps(reached(tree, tests, environment)))
    seconds, reach = json.loads(kept.read_text())
    run, pipe, survived = [sys.executable, "-c", SERVER], subprocess.PIPE, defaultdict(list)
    server = subprocess.Popen(run, cwd=tree, env=environment, text=True, stdin=pipe, stdout=pipe)

    def lines(span):
        return map(str, range(span.start.line, span.end.line + 1))

    def passes(tests):
        limit = 30 + 3 * int(sum(map(seconds.get, tests)))
        print(json.dumps([limit, "-x", *PYTEST, *tests]), file=server.stdin, flush=True)
        return int(server.stdout.readline()) == 0

    for number in only or range(len(made)):
        path, code, change, function = made[number]
        at = [
            {t for n in lines(span) for t in reach.get(path, {}).get(n, ())} for span in (change or function, function)
        ]
        first = sorted(at[0] or at[1], key=seconds.get)
        files = {SIGNATURES, *(test.partition("::")[0] for test in first)}
        rest = first[QUICKEST:] + [t for t in seconds if t.partition("::")[0] in files and t not in first]
        (tree / path).write_text(code)
        survived[path].append(all(passes(some) for some in (first[:QUICKEST], rest) if some))
        shutil.copy2(ROOT / path, tree / path)
        print(number, path, "survived" if survived[path][-1] else "killed")
        if survived[path][-1]:
            before = (ROOT / path).read_text("utf-8").splitlines()
            print(*difflib.unified_diff(before, code.splitlines(), n=1, lineterm=""), sep="\n", flush=True)
    server.stdin.close()
    for path, those in survived.items():
        print(f"{path}: {len(those) - sum(those)} killed, {sum(those)} survived")
    share = 1 - sum(map(sum, survived.values())) / sum(map(len, survived.values()))
    yield Measured("mutants of the formulas killed, share", share, how=f"of {draw}, seed {seed}", least=0.9)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--draw", type=int, default=400)
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument("--only", type=int, nargs="*", default=())
    parser.add_argument("--tests", nargs="*", default=["tests"])
    parser.add_argument("--tree", type=Path)
    print(*measure(**vars(parser.parse_args())))
