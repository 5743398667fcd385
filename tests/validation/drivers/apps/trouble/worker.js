const PAGE = `<!doctype html><title>Cached</title><p>stale</p><button onclick="out.textContent = 'offline works'">Go</button><p id=out></p>`
oninstall = () => skipWaiting()
onactivate = event => event.waitUntil(clients.claim())
onfetch = event => { if (event.request.mode === 'navigate') event.respondWith(new Response(PAGE, {headers: {'Content-Type': 'text/html'}})) }
