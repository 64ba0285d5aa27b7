// SPDX-License-Identifier: BSD-2-Clause
//
// k8s-check: would an API server take these objects?
//
//   node tests/k8s-check.mjs TOOLS [--kube 1.20] [--pods baseline|restricted] [--json] FILE...
//
//   TOOLS    the directory that tools/get-helm prints; FILE: YAML, - is standard input
//   --kube   the version of the cluster: what is newer is refused (1.35)
//   --pods   the Pod Security Standard that pods have to keep
//   --json   print the objects, an array, when all is well
//
// Three things are asked: the attribute maps of the client library (unknown fields, types), the
// models of kubernetes-models (what is required, enumerations, patterns), and what only the API
// server itself looks at: that names fit, volumes are there, selectors select, and the like.
import fs from 'node:fs';
import {createRequire} from 'node:module';
import {pathToFileURL} from 'node:url';

const args = process.argv.slice(2);
const tools = args.shift();
let kube = 1035, standard = null, json = false;
const files = [];
const version = (text) => Number(text.split('.')[0]) * 1000 + Number(text.split('.')[1]);
while (args.length > 0) {
	const arg = args.shift();
	if (arg === '--kube') kube = version(args.shift());
	else if (arg === '--pods') standard = args.shift();
	else if (arg === '--json') json = true;
	else files.push(arg);
}
const require = createRequire(tools + '/node_modules/');
const yaml = require('js-yaml');
const attributes = await import(pathToFileURL(tools + '/node_modules/@kubernetes/client-node/dist/gen/models/all.js'));

let faults = [];
const fault = (path, text) => faults.push(`${path}: ${text}`);

// ---- fields and types ----

function fields(value, type, path) {
	if (value === null || value === undefined) return fault(path, 'is empty');
	let m;
	if ((m = /^Array<(.*)>$/.exec(type))) {
		if (!Array.isArray(value)) return fault(path, 'is no list');
		return value.forEach((item, i) => fields(item, m[1], `${path}[${i}]`));
	}
	if ((m = /^{ \[key: string\]: (.*); }$/.exec(type))) {
		if (typeof value !== 'object' || Array.isArray(value)) return fault(path, 'is no map');
		return Object.entries(value).forEach(([key, item]) => fields(item, m[1], `${path}.${key}`));
	}
	if (['string', 'number', 'boolean'].includes(type)) {
		if (typeof value !== type) fault(path, `is a ${typeof value}, not a ${type}`);
		return;
	}
	const model = attributes[type];
	if (!model?.getAttributeTypeMap) return;
	if (typeof value !== 'object' || Array.isArray(value)) return fault(path, `is no ${type}`);
	const known = new Map(model.getAttributeTypeMap().map((a) => [a.baseName, a.type]));
	for (const [key, item] of Object.entries(value)) {
		if (known.has(key)) fields(item, known.get(key), `${path}.${key}`);
		else fault(path, `there is no field "${key}"`);
	}
}

const old = {'batch/v1beta1': 'batch/v1'};
function modelled(object) {
	const api = old[object.apiVersion] ?? object.apiVersion;
	const short = api.split('/').pop();
	const name = short[0].toUpperCase() + short.slice(1) + object.kind;
	if (!attributes[name]) return fault(object.kind, `there is no such kind in ${object.apiVersion}`);
	fields(object, name, object.kind);
	try {
		const models = require(`kubernetes-models/${api}`);
		new models[object.kind]({...object, apiVersion: api}).validate();
	} catch (e) {
		fault(object.kind, e.message);
	}
}

// ---- what else an API server looks at ----

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
const labelValue = /^(([A-Za-z0-9][A-Za-z0-9._-]{0,61})?[A-Za-z0-9])?$/;
const qualified = /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

function metadata(meta, path) {
	for (const [key, value] of Object.entries(meta?.labels ?? {}))
		if (!qualified.test(key) || !labelValue.test(value)) fault(path, `label ${key}: ${value}`);
	for (const key of Object.keys(meta?.annotations ?? {}))
		if (!qualified.test(key)) fault(path, `annotation ${key}`);
}

const amount = (text) => {
	const m = /^([0-9.]+(?:e[0-9]+)?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/i.exec(String(text));
	const unit = {m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50};
	return m ? Number(m[1]) * (m[2] ? unit[m[2]] : 1) : NaN;
};

function resources(r, path) {
	for (const [name, request] of Object.entries(r?.requests ?? {}))
		if (r.limits?.[name] !== undefined && amount(request) > amount(r.limits[name]))
			fault(path, `requests more ${name} than the limit`);
}

function pod(spec, path, inJob) {
	const volumes = new Map();
	for (const volume of spec.volumes ?? []) {
		if (!label.test(volume.name)) fault(path, `volume ${volume.name}: no such name`);
		if (volumes.has(volume.name)) fault(path, `volume ${volume.name} twice`);
		if (Object.keys(volume).length !== 2) fault(path, `volume ${volume.name}: of one kind, please`);
		if (volume.ephemeral && kube < 1021) fault(path, `volume ${volume.name}: ephemeral is of 1.21`);
		volumes.set(volume.name, volume);
	}
	const names = new Set();
	for (const c of [...(spec.initContainers ?? []), ...spec.containers]) {
		if (!label.test(c.name) || names.has(c.name)) fault(path, `container ${c.name}: bad or twice`);
		names.add(c.name);
		const places = new Set();
		for (const mount of c.volumeMounts ?? []) {
			if (!volumes.has(mount.name)) fault(path, `there is no volume ${mount.name} to mount`);
			if (places.has(mount.mountPath)) fault(path, `two volumes at ${mount.mountPath}`);
			places.add(mount.mountPath);
		}
		const variables = new Set();
		for (const variable of c.env ?? []) {
			if (variables.has(variable.name)) fault(path, `variable ${variable.name} twice`);
			variables.add(variable.name);
			const from = variable.valueFrom?.fieldRef?.fieldPath;
			if (from && !/^(metadata\.(name|namespace|uid|labels\['[^']+'\]|annotations\['[^']+'\])|spec\.nodeName|status\.podIP)$/.test(from))
				fault(path, `variable ${variable.name}: there is no ${from}`);
		}
		resources(c.resources, path);
		if (!c.image) fault(path, `container ${c.name} has no image`);
	}
	if (inJob && !['Never', 'OnFailure'].includes(spec.restartPolicy)) fault(path, 'restartPolicy of a Job');
	const terms = [
		...(spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
		...(spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
		...(spec.affinity?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((p) => p.podAffinityTerm),
	];
	for (const term of terms)
		if (Object.keys(term.labelSelector?.matchLabels ?? {}).length === 0) fault(path, 'an affinity to nothing');
}

function job(spec, path, made) {
	metadata(spec.template.metadata, path);
	pod(spec.template.spec, `${path}.template`, true);
	if (spec.podFailurePolicy) {
		if (kube < 1026) fault(path, 'podFailurePolicy is of 1.26');
		if (spec.template.spec.restartPolicy !== 'Never') fault(path, 'podFailurePolicy wants restartPolicy: Never');
		for (const rule of spec.podFailurePolicy.rules) {
			const codes = rule.onExitCodes;
			if (codes && (codes.values.includes(0) || !spec.template.spec.containers.some((c) => c.name === codes.containerName)))
				fault(path, 'podFailurePolicy: exit codes');
		}
	}
	if (made && spec.selector) fault(path, 'selector of a Job is set by itself');
}

function cron(object) {
	const {spec} = object;
	if (object.metadata.name.length > 52) fault('CronJob', 'the name is longer than 52');
	if (object.apiVersion === 'batch/v1beta1' ? kube >= 1025 : kube < 1021) fault('CronJob', `no ${object.apiVersion} in that version`);
	if (spec.timeZone !== undefined) {
		if (kube < 1025) fault('CronJob', 'timeZone is of 1.25');
		try {
			new Intl.DateTimeFormat('en', {timeZone: spec.timeZone});
		} catch {
			fault('CronJob', `there is no time zone ${spec.timeZone}`);
		}
	}
	if (/TZ=/.test(spec.schedule)) fault('CronJob', 'a time zone in the schedule');
	if (!spec.schedule.startsWith('@') && spec.schedule.trim().split(/\s+/).length !== 5) fault('CronJob', `schedule ${spec.schedule}`);
	metadata(spec.jobTemplate.metadata, 'CronJob.jobTemplate');
	job(spec.jobTemplate.spec, 'CronJob.jobTemplate', true);
}

function looked(object) {
	metadata(object.metadata, object.kind);
	if (!subdomain.test(object.metadata.name)) fault(object.kind, `name ${object.metadata.name}`);
	switch (object.kind) {
	case 'CronJob':
		return cron(object);
	case 'Job':
		if (!label.test(object.metadata.name)) fault('Job', `name ${object.metadata.name}`);
		return job(object.spec, 'Job', true);
	case 'Pod':
		return pod(object.spec, 'Pod', false);
	case 'Deployment': {
		const labels = object.spec.template.metadata.labels;
		for (const [key, value] of Object.entries(object.spec.selector.matchLabels))
			if (labels[key] !== value) fault('Deployment', `the selector's ${key} is not that of the pods`);
		metadata(object.spec.template.metadata, 'Deployment.template');
		return pod(object.spec.template.spec, 'Deployment.template', false);
	}
	case 'PersistentVolumeClaim':
		if (!(amount(object.spec.resources.requests.storage) > 0)) fault('PersistentVolumeClaim', 'size');
		return;
	case 'Secret':
		for (const [key, value] of Object.entries(object.data ?? {}))
			if (Buffer.from(value, 'base64').toString('base64') !== value) fault('Secret', `${key} is not base64`);
	}
}

// ---- the Pod Security Standards, of what a chart may set ----

const baseline = new Set(['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE', 'SETFCAP',
	'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT']);
const plain = new Set(['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected', 'secret']);

function security(spec, path) {
	const whole = spec.securityContext ?? {};
	for (const name of ['hostNetwork', 'hostPID', 'hostIPC']) if (spec[name]) fault(path, `${name} is against the standard`);
	for (const volume of spec.volumes ?? [])
		if (volume.hostPath || (standard === 'restricted' && !Object.keys(volume).some((key) => plain.has(key))))
			fault(path, `volume ${volume.name} is against the standard`);
	for (const c of [...(spec.initContainers ?? []), ...spec.containers]) {
		const own = c.securityContext ?? {};
		const added = own.capabilities?.add ?? [];
		if (own.privileged) fault(path, 'privileged');
		for (const capability of added)
			if (!baseline.has(capability)) fault(path, `the capability ${capability} is not in the baseline`);
		if ((own.seccompProfile ?? whole.seccompProfile)?.type === 'Unconfined') fault(path, 'seccomp');
		if (standard !== 'restricted') continue;
		if (own.allowPrivilegeEscalation !== false) fault(path, 'allowPrivilegeEscalation');
		if (!(own.capabilities?.drop ?? []).includes('ALL')) fault(path, 'capabilities are not dropped');
		if (added.some((capability) => capability !== 'NET_BIND_SERVICE')) fault(path, `adds ${added}`);
		if ((own.runAsNonRoot ?? whole.runAsNonRoot) !== true) fault(path, 'runAsNonRoot');
		if ((own.runAsUser ?? whole.runAsUser) === 0) fault(path, 'runs as root');
		if (!['RuntimeDefault', 'Localhost'].includes((own.seccompProfile ?? whole.seccompProfile)?.type)) fault(path, 'seccomp');
	}
}

export function podOf(object) {
	switch (object.kind) {
	case 'Pod': return object.spec;
	case 'CronJob': return object.spec.jobTemplate.spec.template.spec;
	case 'Job': case 'Deployment': return object.spec.template.spec;
	default: return null;
	}
}

// ---- all of it ----

let bad = 0;
let seen;
const objects = [];
for (const file of files) {
	seen = new Set();
	for (const object of yaml.loadAll(fs.readFileSync(file === '-' ? 0 : file, 'utf8'))) {
		if (!object) continue;
		faults = [];
		const id = `${object.apiVersion} ${object.kind} ${object.metadata?.name}`;
		modelled(object);
		if (seen.has(id)) fault(object.kind, 'is there twice');
		seen.add(id);
		objects.push(object);
		if (faults.length === 0) looked(object);
		if (standard && podOf(object)) security(podOf(object), object.kind);
		for (const text of faults) console.error(`${id}: ${text}`);
		bad += faults.length;
	}
}
if (objects.length === 0) {
	console.error('k8s-check: there are no objects');
	bad++;
}
if (json && bad === 0) console.log(JSON.stringify(objects));
process.exit(bad ? 1 : 0);
