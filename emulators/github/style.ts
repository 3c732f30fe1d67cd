/** The pages' whole look: no other file is loaded. */
export const STYLE = `
:root{color-scheme:light dark;--bg:#fff;--panel:#f6f8fa;--line:#d8dee4;--text:#1f2328;--soft:#59636e;--link:#0a5bd3;--open:#1a7f37;--merged:#8250df;--closed:#cf222e;--draft:#59636e;--add:#dafbe1;--add-n:#aceebb;--del:#ffebe9;--del-n:#ffcecb;--hunk:#ddf4ff;--warn:#9a6700}
@media (prefers-color-scheme:dark){:root{--bg:#0d1117;--panel:#151b23;--line:#30363d;--text:#e6edf3;--soft:#9198a1;--link:#6cb0ff;--open:#238636;--merged:#8957e5;--closed:#da3633;--draft:#656c76;--add:#12261e;--add-n:#1c4428;--del:#25171c;--del-n:#542426;--hunk:#121d2f;--warn:#d29922}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
header{background:var(--panel);border-bottom:1px solid var(--line);padding:12px 24px;display:flex;gap:8px;align-items:baseline;flex-wrap:wrap}
header .mark{font-weight:650}header .note{color:var(--soft);font-size:13px;margin-left:auto}
main{max-width:1100px;margin:0 auto;padding:24px}
h1{font-size:26px;font-weight:600;line-height:1.25;margin:0 0 8px;overflow-wrap:anywhere}h1 .n{color:var(--soft);font-weight:300}
h2{font-size:17px;margin:28px 0 10px}
.soft{color:var(--soft)}.sub{color:var(--soft);display:flex;gap:10px;align-items:center;flex-wrap:wrap;margin-bottom:20px}
.badge{display:inline-block;border-radius:999px;color:#fff;font-size:13px;font-weight:600;padding:3px 12px}
.open{background:var(--open)}.merged{background:var(--merged)}.closed{background:var(--closed)}.draft{background:var(--draft)}
.box{border:1px solid var(--line);border-radius:8px;overflow:hidden;margin-bottom:18px}
.box>.head{background:var(--panel);border-bottom:1px solid var(--line);padding:9px 14px;font-size:14px;display:flex;gap:10px;align-items:center;flex-wrap:wrap;overflow-wrap:anywhere}
.box>.body{padding:14px 16px;overflow-wrap:anywhere}
.row{padding:10px 14px;border-top:1px solid var(--line);display:flex;gap:10px;align-items:center;flex-wrap:wrap}.row:first-child{border-top:0}
.row .title{font-weight:600;overflow-wrap:anywhere}.right{margin-left:auto}
code,pre,.mono,table.diff{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:12.5px}
code{background:var(--panel);border-radius:5px;padding:2px 5px}
pre{background:var(--panel);border-radius:6px;padding:12px;overflow:auto}pre code{padding:0;background:none}
blockquote{margin:0 0 12px;padding:0 14px;border-left:4px solid var(--line);color:var(--soft)}
.body h3,.body h4,.body h5,.body h6{margin:14px 0 6px}.body p{margin:0 0 10px}.body ul,.body ol{margin:0 0 10px;padding-left:26px}
.take{border-color:var(--open)}.take pre{margin:8px 0 0;user-select:all}
.plus{color:var(--open);font-weight:600}.minus{color:var(--closed);font-weight:600}
.scroll{overflow-x:auto}table.diff{border-collapse:collapse;width:100%;line-height:1.5}
table.diff td{padding:0 10px;white-space:pre;vertical-align:top}table.diff td.ln{width:1%;min-width:44px;text-align:right;color:var(--soft);user-select:none}
tr.a td{background:var(--add)}tr.a td.ln{background:var(--add-n)}tr.d td{background:var(--del)}tr.d td.ln{background:var(--del-n)}tr.h td{background:var(--hunk);color:var(--soft)}
.cut{padding:10px 14px;color:var(--warn);font-weight:600}
.dot{width:10px;height:10px;border-radius:50%;display:inline-block;background:var(--warn)}.dot.passed{background:var(--open)}.dot.failed{background:var(--closed)}
@media (max-width:640px){main{padding:16px}header{padding:10px 16px}}
`;
