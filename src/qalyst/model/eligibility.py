"""`sequences:` of a model file: which orders of treatments there are, and why not the others."""

from __future__ import annotations

from qalyst.errors import Mistakes, ModelError, nearest
from qalyst.io.records import read
from qalyst.io.yaml import Section
from qalyst.model.resolved import ResolvedModel, SequenceRule, SequenceRules, Strategy
from qalyst.model.schema import SequenceRuleSection, SequencesSection
from qalyst.model.sections import Sections

MOST_LINES = 12


def sequence_rules(sections: Sections) -> SequenceRules | None:
    """The section as it stands; None without it. `check_sequences` looks at its names."""
    if "sequences" not in sections.document:
        return None
    section = sections.section("sequences")
    raw = read(SequencesSection, section, "sequences")
    rules: list[SequenceRule] = []
    rows = section.get("rules") or Section(mark=section.mark)
    for treatment in rows:
        where = f"{rows.at(treatment)}  sequences.rules.{treatment}"
        row = rows[treatment]
        with sections.mistakes.caught():
            if not isinstance(row, Section):
                raise ModelError(
                    f"the rule of '{treatment}' is not a mapping",
                    where=where,
                    mend="write {lines: [1]}, say",
                )
            rule = read(SequenceRuleSection, row, f"sequences.rules.{treatment}")
            after, not_after = tuple(rule.after), tuple(rule.not_after)
            source = rule.source or ""
            rules.append(
                SequenceRule(str(treatment), tuple(rule.lines), after, not_after, source, where)
            )
    return SequenceRules(
        lines=raw.lines,
        last=raw.last,
        at_most_once=raw.at_most_once,
        treatments=tuple(raw.treatments) or treatments_of(list(sections.strategies().values())),
        rules=tuple(rules),
        where=f"{section.mark}  sequences",
    )


def treatments_of(strategies: list[Strategy]) -> tuple[str, ...]:
    """The treatments of the strategies' own sequences, in the order in which they come up."""
    return tuple(dict.fromkeys(each for row in strategies for each in row.sequence))


def check_sequences(model: ResolvedModel, mistakes: Mistakes) -> None:
    """Note treatments that are none, and rules that contradict each other."""
    if model.sequences is not None:
        check_rules(model.sequences, model, mistakes)


def check_rules(rules: SequenceRules, model: ResolvedModel, mistakes: Mistakes) -> None:
    """Note what is wrong with rules, wherever they were stated."""
    named = list(rules.treatments) + ([rules.last] if rules.last else [])
    for rule in rules.rules:
        named += [rule.treatment, *rule.after, *rule.not_after]
    for name in dict.fromkeys(named):
        if name not in model.treatments:
            mistakes.add(
                f"unknown treatment '{name}' in the rules of sequences",
                where=rules.where,
                mend=nearest(name, model.treatments),
            )
    if not 1 <= rules.lines <= MOST_LINES:
        mistakes.add(
            f"sequences of {rules.lines} lines",
            where=rules.where,
            mend=f"give 1 to {MOST_LINES} lines",
        )
    for rule in rules.rules:
        _check_rule(rule, rules, mistakes)


def _check_rule(rule: SequenceRule, rules: SequenceRules, mistakes: Mistakes) -> None:
    what = f"the rule of '{rule.treatment}'"
    if not (rule.lines or rule.after or rule.not_after):
        mistakes.add(f"{what} says nothing", where=rule.where, mend="add lines, after or not_after")
    for line in rule.lines:
        if not 1 <= line <= rules.lines:
            mistakes.add(
                f"{what} names line {line}, and sequences have {rules.lines}",
                where=rule.where,
                mend=f"name lines from 1 to {rules.lines}",
            )
    both = sorted(set(rule.after) & set(rule.not_after))
    if both:
        mistakes.add(
            f"{what} wants '{both[0]}' earlier and forbids it",
            where=rule.where,
            mend="keep one of the two",
        )
    if rule.treatment == rules.last:
        mistakes.add(
            f"'{rule.treatment}' is the last line of every sequence and has a rule as well",
            where=rule.where,
            mend="drop the rule",
        )
    if rule.after and rule.lines and max(rule.lines) == 1:
        mistakes.add(
            f"{what} allows the first line only, and wants another treatment before it",
            where=rule.where,
            mend="drop `lines` or `after`",
        )
