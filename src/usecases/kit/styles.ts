/** For paper first: black on white, A4, no block that belongs together on two pages. */
export const kitStyles = `
@page { size: A4; margin: 18mm 16mm 20mm; }
* { box-sizing: border-box; }
html { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
body { margin: 0 auto; max-width: 178mm; padding: 8mm 6mm; background: #fff; color: #111;
  font: 10.5pt/1.45 system-ui, 'Helvetica Neue', Arial, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 22pt; line-height: 1.15; margin: 0 0 3mm; }
h2 { font-size: 14pt; margin: 8mm 0 2mm; padding-bottom: 1mm; border-bottom: 0.6mm solid #111; break-after: avoid; }
h3 { font-size: 12pt; margin: 0 0 1.5mm; break-after: avoid; }
h3 span { font-weight: normal; font-size: 10pt; color: #444; }
h4 { font-size: 10.5pt; margin: 3mm 0 1mm; break-after: avoid; }
p { margin: 0 0 2.5mm; orphans: 3; widows: 3; }
ul, ol { margin: 0 0 2.5mm; padding-left: 6mm; }
li { margin-bottom: 1.5mm; }
code, pre { font: 9.5pt/1.4 ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; }
pre { margin: 1.5mm 0 3mm; padding: 2mm 3mm; background: #f1f1f1; border-left: 1mm solid #777; white-space: pre-wrap; break-inside: avoid; }
.organisation { margin: 0 0 1mm; font-size: 11pt; color: #333; }
.lead { font-size: 12pt; }
.keep, .warning { border: 0.5mm solid #111; padding: 2mm 3mm; font-weight: 600; }
dl { margin: 0; }
dl > div { display: flex; gap: 3mm; margin-bottom: 0.8mm; }
dt { flex: 0 0 38mm; color: #333; }
dd { margin: 0; flex: 1; min-width: 0; }
.facts { margin-bottom: 3mm; }
.vault { border: 0.3mm solid #777; border-radius: 1.5mm; padding: 3mm; margin-bottom: 3mm; break-inside: avoid; }
.secret { border: 0.7mm solid #111; border-radius: 1.5mm; padding: 4mm; margin-bottom: 3mm; break-inside: avoid; }
.code { display: flex; gap: 6mm; align-items: center; }
.letters { flex: 1; min-width: 0; }
.letters code { font-size: 15pt; line-height: 1.5; }
.groups span { display: inline-block; min-width: 18mm; }
figure { flex: 0 0 46mm; margin: 0; text-align: center; }
figure svg { width: 46mm; height: 46mm; display: block; }
figcaption { font-size: 8pt; color: #333; }
.spelled { columns: 4; column-gap: 4mm; list-style: decimal; padding-left: 8mm; font-size: 9pt; }
.spelled li { margin: 0; break-inside: avoid; }
.spelled code { font-weight: bold; font-size: 10pt; white-space: pre; }
.together { break-inside: avoid; }
.line { border-bottom: 0.3mm solid #555; height: 9mm; }
.fill { width: 100%; border-collapse: collapse; }
.fill th { text-align: left; font-weight: 600; }
.fill th, .fill td { border: 0.3mm solid #777; padding: 1.5mm 2mm; }
.fill td { height: 9mm; }
@media screen and (max-width: 520px) {
  .code, dl > div { flex-direction: column; align-items: flex-start; gap: 1mm; }
  dt { flex: none; } figure { flex: none; } .spelled { columns: 2; }
}
@media print { body { max-width: none; padding: 0; } }
`
