#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Does with a project's pipeline what the service would, as far as ours goes: the one job of a GitHub workflow with its steps, or
of a GitLab pipeline with its script, in a copy of the project.
ci_service.py github|gitlab PROJECT DFUBENCH WORK [NAME=VALUE...]
ci_service.py scripts DFUBENCH FOLDER          writes what there is of scripts into files there, NAME.bash or NAME.sh
PROJECT: the project's folder. DFUBENCH: the tree that OWNER/dfubench stands for. WORK: a new folder; WORK/project is the copy,
WORK/artefacts what would be kept, WORK/summary the job's summary. NAME=VALUE: inputs of the action, variables of the job, set
besides those that the pipeline sets. What others' actions do is told and left out, but for upload-artifact. Exit status: 1 if the
job fails, 2 for what the service would refuse or this does not know."""

import glob
import os
import re
import shutil
import subprocess
import sys

import yaml


def refuse(text):
    print(f"ci_service: {text}", file=sys.stderr)
    sys.exit(2)


def load(path):
    with open(path) as file:
        # `on` is a word of GitHub's, and true in YAML 1.1, which it is not there.
        return yaml.load(file, yaml.BaseLoader)


def only_known(what, mapping, known):
    for key in mapping:
        if key not in known:
            refuse(f"{what}: unknown key '{key}'")


class Github:
    def __init__(self, work, tree, given):
        self.work, self.tree, self.given = work, tree, given
        self.project = f"{work}/project"
        self.files = {name: f"{work}/{name.lower()}" for name in ("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_ENV", "GITHUB_STEP_SUMMARY")}
        self.environment = dict(os.environ, RUNNER_TEMP=f"{work}/temp", GITHUB_WORKSPACE=self.project, CI="true", GITHUB_ACTIONS="true")
        os.mkdir(f"{work}/temp")

    def value(self, expression, inputs, steps):
        expression = expression.strip()
        if found := re.fullmatch(r"inputs\.([a-z0-9-]+)", expression):
            if found[1] not in inputs:
                refuse(f"no input '{found[1]}'")
            return inputs[found[1]]
        if found := re.fullmatch(r"steps\.([a-z]+)\.outputs\.([a-z]+)", expression):
            return steps.get(found[1], {}).get(found[2], "")
        return refuse(f"expression '{expression}'")

    def fill(self, text, inputs, steps):
        return re.sub(r"\$\{\{(.*?)\}\}", lambda found: self.value(found[1], inputs, steps), text)

    def condition(self, text, failed, inputs):
        for part in (text or "success()").split("&&"):
            part = part.strip()
            if part == "success()" and failed:
                return False
            if found := re.fullmatch(r"inputs\.([a-z-]+) != ''", part):
                if not inputs[found[1]]:
                    return False
            elif part not in ("always()", "success()"):
                refuse(f"condition '{part}'")
        return not failed or "always()" in (text or "")

    def run(self, script, environment):
        path = f"{self.work}/step.sh"
        with open(path, "w") as file:
            file.write(script)
        for name in self.files.values():
            open(name, "a").close()
        words = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", path]
        status = subprocess.run(words, cwd=self.project, env={**self.environment, **self.files, **environment}, stdin=subprocess.DEVNULL).returncode
        with open(self.files["GITHUB_PATH"]) as file:
            for line in file.read().splitlines():
                self.environment["PATH"] = line + ":" + self.environment["PATH"]
        outputs = dict(line.split("=", 1) for line in open(self.files["GITHUB_OUTPUT"]).read().splitlines())
        for name in ("GITHUB_PATH", "GITHUB_OUTPUT"):
            os.unlink(self.files[name])
        return status, outputs

    def upload(self, words):
        only_known("upload-artifact", words, ("name", "path", "if-no-files-found"))
        if not os.path.exists(f"{self.project}/{words['path']}"):
            print(f"== nothing at {words['path']} to keep")
        else:
            shutil.copytree(f"{self.project}/{words['path']}", f"{self.work}/artefacts/{words['name']}")

    def action(self, words, extra):
        action = load(f"{self.tree}/ci/github/action.yml")
        only_known("action.yml", action, ("name", "description", "inputs", "outputs", "runs"))
        only_known("with", {**words, **extra}, action["inputs"])
        inputs = {name: row.get("default", "") for name, row in action["inputs"].items()} | words | extra
        for name, row in action["inputs"].items():
            if row.get("required") == "true" and not inputs[name]:
                refuse(f"input '{name}' is missing")
        self.environment["GITHUB_ACTION_PATH"] = f"{self.tree}/ci/github"
        if action["runs"]["using"] != "composite":
            refuse("not a composite action")
        steps, failed = {}, False
        for step in action["runs"]["steps"]:
            only_known("step", step, ("name", "id", "if", "shell", "env", "run", "uses", "with"))
            if not self.condition(step.get("if"), failed, inputs):
                continue
            print(f"== {step['name']}", flush=True)
            if "uses" in step:
                if not step["uses"].startswith("actions/upload-artifact@"):
                    refuse(f"uses {step['uses']}")
                self.upload({name: self.fill(text, inputs, steps) for name, text in step["with"].items()})
                continue
            if step.get("shell") != "bash":
                refuse("a step of a composite action needs a shell")
            if "${{" in step["run"]:
                refuse("an input would become part of a script")
            environment = {name: self.fill(text, inputs, steps) for name, text in step.get("env", {}).items()}
            status, outputs = self.run(step["run"], environment)
            steps[step.get("id")] = outputs
            failed = failed or status != 0
        for name, row in action["outputs"].items():
            print(f"output {name}={self.fill(row['value'], inputs, steps)}", flush=True)
        return failed

    def job(self):
        (path,) = glob.glob(f"{self.project}/.github/workflows/*.yml")
        workflow = load(path)
        only_known("workflow", workflow, ("name", "on", "permissions", "jobs"))
        ((_, job),) = workflow["jobs"].items()
        for step in job["steps"]:
            if re.fullmatch(r"OWNER/dfubench/ci/github@v[0-9.]+", step.get("uses", "")):
                if self.action(step["with"], self.given):
                    return 1
            else:
                print(f"== left out: {step.get('uses') or step['run']}", flush=True)
        return 0


def gitlab(work, tree, given):
    project = f"{work}/project"
    pipeline = load(f"{project}/.gitlab-ci.yml")
    jobs = {}
    for include in pipeline.pop("include"):
        if include["project"] != "OWNER/dfubench":
            refuse(f"include {include['project']}")
        jobs |= load(tree + include["file"])
    ((name, own),) = pipeline.items()
    template = jobs[own["extends"]]
    job = {**template, **own, "variables": template["variables"] | own["variables"] | given}
    only_known(name, job, ("extends", "image", "variables", "before_script", "script", "artifacts"))
    for line in job["before_script"]:
        print(f"== left out: {line}", flush=True)
    environment = dict(os.environ, CI="true", CI_PROJECT_DIR=project)
    for key, text in job["variables"].items():
        environment[key] = re.sub(r"\$(\w+)", lambda found: job["variables"].get(found[1], ""), text)
    with open(f"{work}/script.sh", "w") as file:
        file.write("set -e\n" + "\n".join(job["script"]) + "\n")
    shell = os.environ.get("CI_SERVICE_SHELL", "sh")
    status = subprocess.run([shell, f"{work}/script.sh"], cwd=project, env=environment, stdin=subprocess.DEVNULL).returncode
    artifacts = job["artifacts"]
    only_known("artifacts", artifacts, ("when", "expose_as", "paths", "reports"))
    if not status or artifacts["when"] == "always":
        for path in artifacts["paths"] + [artifacts["reports"]["junit"]]:
            if "$" in path:
                refuse(f"'{path}' would not be exposed")
            for found in glob.glob(f"{project}/{path}"):
                name = f"{work}/artefacts/{os.path.relpath(found, project)}"
                os.makedirs(os.path.dirname(name), exist_ok=True)
                if os.path.isdir(found):
                    shutil.copytree(found, name, dirs_exist_ok=True)
                else:
                    shutil.copy(found, name)
    return 1 if status else 0


def scripts(tree, folder):
    for step in load(f"{tree}/ci/github/action.yml")["runs"]["steps"]:
        if "run" in step:
            with open(f"{folder}/{step['name'].replace(' ', '-')}.bash", "w") as file:
                file.write("#!/bin/bash\nset -e -o pipefail\n" + step["run"])
    for name, job in load(f"{tree}/ci/gitlab/dfubench.yml").items():
        with open(f"{folder}/gitlab{name}.sh", "w") as file:
            file.write("#!/bin/sh\nset -e\n" + "\n".join(job["script"]))


def main():
    if sys.argv[1] == "scripts":
        scripts(*sys.argv[2:])
        return
    service, project, tree, work = sys.argv[1:5]
    given = dict(word.split("=", 1) for word in sys.argv[5:])
    os.makedirs(f"{work}/artefacts")
    work = os.path.realpath(work)
    shutil.copytree(project, f"{work}/project")
    if service == "github":
        sys.exit(Github(work, tree, given).job())
    sys.exit(gitlab(work, tree, given))


main()
