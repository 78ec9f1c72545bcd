"""The template of the HTML page. Jinja2 escapes every value; only our style and script are not."""

TEMPLATE = """\
{% macro words(text) -%}
{%- for is_code, piece in text|pieces %}
{%- if is_code %}<code>{{ piece }}</code>{% else %}{{ piece }}{% endif %}
{%- endfor %}
{%- endmacro %}
{% macro way(text) -%}
{%- if "`" in text %}{{ words(text) }}{% else %}<code>{{ text }}</code>{% endif %}
{%- endmacro %}
{% macro bar(work, has_legend=true) %}
<div class="work">
<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img"
 aria-label="{{ work.words }}">
{%- for part in work.parts %}
<rect class="{{ part.kind }}" x="{{ part.start }}" width="{{ part.width }}" height="10"/>
{%- endfor %}
</svg>
{% if has_legend %}
<div class="legend">
{%- for part in work.parts %}<span class="{{ part.kind }}">{{ part.count }} {{ part.kind }}</span>
{% endfor %}<b>{{ work.coverage }}</b></div>
{% else %}
<span class="faint small">{{ work.coverage }}</span>
{% endif %}
</div>
{% endmacro %}
{% macro block(block, opening="") %}
<div class="alarm">
<p><strong>{{ opening }}{{ block.rule }}</strong>: {{ words(block.message) }}</p>
{% if block.line or block.flag %}
<dl>
{% if block.line %}<dt>in the file</dt><dd>{{ way(block.line) }}\
{% if block.place %} <span class="place">{{ block.place }}</span>{% endif %}</dd>{% endif %}
{% if block.flag %}<dt>for this apply</dt><dd>{{ way(block.flag) }}</dd>{% endif %}
</dl>
{% endif %}
</div>
{% endmacro %}
{% macro marked(pieces) -%}
{%- for is_changed, piece in pieces %}
{%- if is_changed %}<mark>{{ piece }}</mark>{% else %}{{ piece }}{% endif %}
{%- endfor %}
{%- endmacro %}
{% macro values(rows, title, before, after) %}
<table class="values">
<thead><tr><th>{{ title }}</th><th>{{ before }}</th><th>{{ after }}</th></tr></thead>
<tbody>
{% for row in rows %}
<tr><th scope="row">{{ row.name }}</th>\
<td data-name="{{ before }}"><del>{{ marked(row.old) }}</del></td>\
<td data-name="{{ after }}"><ins>{{ marked(row.new) }}</ins>\
{% if row.fate %} <span class="faint small">{{ row.fate }}</span>{% endif %}</td></tr>
{% endfor %}
</tbody>
</table>
{% endmacro %}
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{{ page.headline }}</title>
<style>{{ style|safe }}</style>
</head>
<body>
<header>
<p class="faint small">qarun plan, made {{ page.created_at }}</p>
<h1>{{ page.heading }}</h1>
{% if page.withheld %}<p>{{ words(page.withheld) }}</p>{% endif %}
{% if page.closes %}<p class="closes">{{ page.closes }}</p>{% endif %}
<ul class="counts">
{% for chip in page.chips %}
<li><span class="chip kind-{{ chip.kind }}" data-kind="{{ chip.kind }}"><b>{{ chip.count }}</b> \
{{ chip.label }}</span></li>
{% endfor %}
</ul>
<div class="filters" hidden>
<input type="search" placeholder="Key or title" aria-label="Show only keys or titles with">
<select aria-label="Show only the project"{% if page.projects|length < 2 %} hidden{% endif %}>
<option value="">All projects</option>
{% for project in page.projects %}<option value="{{ loop.index }}">{{ project.name }}, \
{{ project.owner }}</option>
{% endfor %}
</select>
<button type="button" hidden>Show all</button>
<output aria-live="polite"></output>
</div>
</header>
<main>
{% if page.projects|length > 1 %}
{% set makes = "would make" if page.is_withheld else "makes" %}
{% set closes = "would close" if page.is_withheld else "closes" %}
<table class="overview">
<thead><tr><th scope="col">project, owner</th><th scope="col">{{ makes }}</th>\
<th scope="col">{{ closes }}</th>\
<th scope="col">work in its open runs</th></tr></thead>
<tbody>
{% for project in page.projects %}
<tr data-project="{{ loop.index }}"><th scope="row"><a href="#project-{{ loop.index }}">\
{{ project.name }}, {{ project.owner }}</a></th>
<td data-name="{{ makes }}">{{ project.makes }}</td>\
<td data-name="{{ closes }}">{{ project.closes }}</td>\
<td>{% if project.refusals %}<strong class="closes">refused</strong> {% endif %}\
{% if project.work %}{{ bar(project.work, false) }}{% endif %}</td></tr>
{% endfor %}
</tbody>
</table>
{% endif %}
{% for project in page.projects %}
{% set number = loop.index %}
<section class="project" id="project-{{ number }}" data-project="{{ number }}">
<div class="head">
<h2>Project {{ project.name }}, owner {{ project.owner }}</h2>
<p class="faint small">{{ project.server }}{% if page.projects|length > 1 %}: \
{{ project.summary }}{% endif %}</p>
{% if project.work %}{{ bar(project.work) }}{% endif %}
</div>
{% for refusal in project.refusals %}{{ block(refusal, "refused: ") }}{% endfor %}
{% for card in project.cards %}
<article class="card kind-{{ card.kind }}{% if card.drift %} has-drift{% endif %}"
 data-kinds="{{ card.kinds }}" data-project="{{ number }}"
 data-text="{{ card.key }} {{ card.title }}">
<div class="top">
<span class="badge">{{ card.sign }} {{ card.label }}</span>
<h3><code>{{ card.key }}</code> {{ card.title }}</h3>
{% if card.place %}<span class="place">{{ card.place }}</span>{% endif %}
</div>
<p>{{ words(card.why) }}</p>
{% if card.fields %}{{ values(card.fields, "changed in Git", "live", "in the file") }}{% endif %}
{% if card.actions %}
<ul class="actions">
{% for action in card.actions %}
<li class="{{ action.kind }}{% if card.is_withheld %} would{% endif %}">{{ words(action.words) }}
{% for detail in action.details %}<br><span class="faint small">{{ words(detail) }}</span>
{% endfor %}</li>
{% endfor %}
</ul>
{% endif %}
{% if card.work %}{{ bar(card.work) }}{% endif %}
{% if card.drift %}
{{ values(card.drift, "changed by hand", card.drift_before, "live now") }}
{% endif %}
{% for each in card.blocks %}{{ block(each) }}{% endfor %}
{% for note in card.notes %}<p class="faint small">{{ words(note) }}</p>{% endfor %}
</article>
{% endfor %}
{% if project.keys %}
<details class="keys"><summary>{{ project.keys_words }}</summary>
<table>
<tbody>
{% for card in project.keys %}
<tr data-kinds="{{ card.kinds }}" data-project="{{ number }}"
 data-text="{{ card.key }} {{ card.title }}"><td><code>{{ card.key }}</code> {{ card.title }}</td>\
<td class="faint">{{ card.label }}</td><td class="faint">{{ card.run }}</td>\
<td class="faint">{% if card.work %}{{ card.work.coverage }}{% endif %}</td></tr>
{% endfor %}
</tbody>
</table>
</details>
{% endif %}
{% if project.unmanaged %}
<details><summary>{{ project.unmanaged_words }}</summary>
<table><tbody>
{% for run_id, title in project.unmanaged %}
<tr><td>run {{ run_id }}</td><td>{{ title }}</td></tr>
{% endfor %}
</tbody></table>
</details>
{% endif %}
{% for note in project.notes %}<p class="faint small">{{ words(note) }}</p>{% endfor %}
</section>
{% endfor %}
</main>
<footer>
<p class="faint small">{{ page.cost }}</p>
<p class="faint small">Digest: <code>{{ page.digest }}</code></p>
{% if page.command %}
<p>{{ page.next }}</p>
<code class="command">{{ page.command }}</code>
{% else %}
<p>{{ page.next }}</p>
{% endif %}
<p class="faint small">qarun {{ page.version }}{% if page.files %}, from \
{{ page.files|join(", ") }}{% endif %}</p>
</footer>
<script>{{ script|safe }}</script>
</body>
</html>
"""
